import { Base, button, define, dress, languageAt, mark, part, say, upgrade } from './element.js';
import { LOOK } from './idle-warning-style.js';
import { leave, type Leaver } from './leave.js';
import type { SloClient } from './types.js';

/** The name of the element in HTML. */
export const IDLE_WARNING = 'slo-idle-warning';

/** When a screen reader is told the rest, in seconds before the end, besides the first time. */
const MARKS = [60, 30, 10, 0];
/** How long the hub may take to say that it has heard that somebody stays, in ms. */
const ANSWER_MS = 5_000;

const HEADING = 'Are you still there?';
const MESSAGE = 'You have not done anything for a while. You will be signed out in {time}.';
const ENDING = 'You are being signed out.';

/** What the dialog needs of a client. Every client of this package will do. */
export type IdleClient = Pick<SloClient, 'state' | 'on' | 'stay'> & Leaver;

/**
 * `<slo-idle-warning>`: a modal dialog that counts down to an idle sign-out, in every open app at once, and asks whether
 * the person stays. It shows nothing until the hub warns. Give it the client: `element.client = slo`.
 *
 * While it is open, moving the pointer to its button is no answer yet: only "Stay signed in" is, and Escape. An answer
 * in any other app closes it here too. The countdown goes by the clock, so a tab that was frozen shows the right rest.
 *
 * Attributes: `heading`, `message` (with `{time}` where the rest goes), `ending`, `stay` and `sign-out` for texts of
 * your own. What is inside the element stands below the message. While it shows, it has the attribute `open`.
 * Event: `slo-sign-out`, when "Sign out now" is pressed; without `preventDefault()` it calls the client's `logout()`, or
 * `signOut()` where there is none. Parts: `dialog`, `heading`, `message`, `time`, `actions`, `stay`, `sign-out`.
 * Custom properties: those of `<slo-signed-out>`, and `--slo-accent`, `--slo-accent-text`, `--slo-backdrop`.
 */
export class IdleWarningElement extends Base {
  static readonly observedAttributes = ['heading', 'message', 'ending', 'stay', 'sign-out'];

  #client: IdleClient | null = null;
  #listening: Array<() => void> = [];
  /** Epoch ms. 0: nobody is warned. */
  #endsAt = 0;
  /** What the hub said, in seconds: a clock that is set back does not make it longer. */
  #most = 0;
  /** The rest when a screen reader was told last. */
  #told = 0;
  /** Somebody has said that they stay, when the hub could not be told. */
  #isToStay = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #dialog = part('dialog', 'dialog');
  readonly #heading = part('h2', 'heading');
  readonly #message = part('p', 'message');
  readonly #time = part('span', 'time');
  readonly #live = document.createElement('div');
  readonly #stay = button('stay', () => this.#stays());
  readonly #signOut = button('sign-out', () => this.#leaves());

  constructor() {
    super();
    this.#dialog.role = 'alertdialog';
    for (const [name, element] of [['labelledby', this.#heading], ['describedby', this.#message]] as const) {
      element.id = name;
      this.#dialog.setAttribute(`aria-${name}`, name);
    }
    this.#time.role = 'timer';
    this.#live.role = 'status';
    this.#stay.autofocus = true;
    const actions = part('div', 'actions');
    actions.append(this.#stay, this.#signOut);
    this.#dialog.append(this.#heading, this.#message, document.createElement('slot'), actions, this.#live);
    // By Escape, or by however else a browser lets go of dialogs. The event comes later than the closing: by then
    // another warning may have opened it again, and nobody has answered that.
    this.#dialog.addEventListener('close', () => this.#endsAt && !this.#dialog.open && this.#stays());
    dress(this, LOOK, this.#dialog);
  }

  /** The client that warns. Null: none. */
  get client(): IdleClient | null {
    return this.#client;
  }

  set client(client: IdleClient | null | undefined) {
    if (client === this.#client) return;
    this.#letGo();
    this.#client = client ?? null;
    if (this.isConnected) this.#listen();
  }

  connectedCallback(): void {
    if (!upgrade(this, 'client')) this.#listen();
  }

  disconnectedCallback(): void {
    this.#letGo();
  }

  attributeChangedCallback(): void {
    if (this.#endsAt) this.#render();
  }

  #listen(): void {
    const client = this.#client;
    if (!client || this.#listening.length) return;
    this.#listening = [
      client.on('idle-warning', ({ secondsLeft, ask }) => {
        ask();
        this.#warn(secondsLeft);
      }),
      client.on('idle-cancelled', () => this.#calm()),
      client.on('state', ({ state }) => {
        if (state === 'connecting' || state === 'waiting') return;
        // The hub warns a page that comes back, if it still counts down.
        const isToStay = this.#isToStay;
        this.#calm();
        if (state === 'connected' && isToStay) client.stay();
      }),
    ];
    document.addEventListener('visibilitychange', this.#tick);
    this.#listening.push(() => document.removeEventListener('visibilitychange', this.#tick));
  }

  #letGo(): void {
    for (const leave of this.#listening) leave();
    this.#listening = [];
    this.#calm();
  }

  #warn(secondsLeft: number): void {
    this.#calm();
    this.#most = this.#told = secondsLeft;
    this.#open(Date.now() + secondsLeft * 1_000);
  }

  #open(endsAt: number): void {
    this.#endsAt = endsAt;
    this.#stay.disabled = this.#signOut.disabled = false;
    this.#live.textContent = '';
    this.#tick();
    this.toggleAttribute('open', true);
    this.#dialog.showModal();
    this.#stay.focus();
  }

  #hide(): void {
    clearTimeout(this.#timer);
    this.#endsAt = 0;
    this.toggleAttribute('open', false);
    if (this.#dialog.open) this.#dialog.close();
  }

  /** The warning is over, or counts no more. */
  #calm(): void {
    this.#isToStay = false;
    this.#hide();
  }

  /** Told by somebody who is there. Where the hub does not confirm it, they are asked again. */
  #stays(): void {
    const endsAt = this.#endsAt;
    this.#hide();
    this.#isToStay = this.#client?.state !== 'connected';
    this.#client?.stay();
    // What could not be told is told as soon as there is a channel.
    if (!this.#isToStay) this.#timer = setTimeout(() => Date.now() < endsAt && this.#open(endsAt), ANSWER_MS);
  }

  #leaves(): void {
    const leaving = this.#client && leave(this, this.#client);
    if (!leaving) return;
    this.#stay.disabled = this.#signOut.disabled = true;
    leaving.catch((cause: unknown) => {
      this.#stay.disabled = this.#signOut.disabled = false;
      reportError(cause);
    });
  }

  /** Whole seconds, the begun one counted. */
  get #rest(): number {
    return Math.max(0, Math.min(this.#most, Math.ceil((this.#endsAt - Date.now()) / 1_000)));
  }

  /** Once a second, and whenever somebody looks: timers of a page that nobody sees are slow, or stand still. */
  readonly #tick = (): void => {
    clearTimeout(this.#timer);
    if (!this.#endsAt) return;
    this.#render();
    const rest = this.#rest;
    if (MARKS.some((mark) => rest <= mark && mark < this.#told)) {
      this.#told = rest;
      this.#live.textContent = this.#message.textContent;
      this.#live.lang = this.#message.lang;
    }
    if (rest) this.#timer = setTimeout(this.#tick, (this.#endsAt - Date.now()) % 1_000 || 1_000);
  };

  #render(): void {
    const text = (name: string) => this.getAttribute(name);
    say(this.#heading, text('heading'), HEADING);
    say(this.#stay, text('stay'), 'Stay signed in');
    say(this.#signOut, text('sign-out'), 'Sign out now');
    const rest = this.#rest;
    if (!rest) return say(this.#message, text('ending'), ENDING);
    const own = text('message');
    const language = own === null ? 'en' : languageAt(this);
    const [before = '', ...after] = (own ?? MESSAGE).split('{time}');
    this.#time.textContent = new Intl.NumberFormat(language, { style: 'unit', unit: 'second', unitDisplay: 'long' }).format(rest);
    this.#message.replaceChildren(before, ...(after.length ? [this.#time, after.join('{time}')] : []));
    mark(this.#message, own === null);
  }
}

/** Makes `<slo-idle-warning>` known to the page, once. On a server it does nothing. */
export function defineIdleWarning(): void {
  define(IDLE_WARNING, IdleWarningElement);
}

declare global {
  interface HTMLElementTagNameMap {
    'slo-idle-warning': IdleWarningElement;
  }
}
