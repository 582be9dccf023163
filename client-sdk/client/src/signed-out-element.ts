import { Base, define, dress, languageAt, part, say, upgrade } from './element.js';
import { LOOK } from './signed-out-style.js';
import type { LogoutSource, SignedOutEvent } from './types.js';

/** The name of the element in HTML. */
export const SIGNED_OUT_NOTICE = 'slo-signed-out';

/** A screen reader announces what changes in a live region that it knows, so the region has to be there a little before, in ms. */
const ANNOUNCE_MS = 100;

/** What is said where neither the other app nor this page has a text. */
const MESSAGES: ReadonlyMap<LogoutSource, string> = new Map([
  ['app', 'You signed out in another app.'],
  ['redirect', 'You signed out in another app.'],
  ['backchannel', 'Your session was ended at the sign-in service.'],
  ['session_api', 'You signed out from another device.'],
  ['admin', 'You were signed out by an administrator.'],
  ['idle', 'You were signed out after a time without activity.'],
  ['absolute', 'Your session had reached its longest time.'],
  ['signal', 'Your session was ended to protect your account.'],
]);
const MESSAGE = 'Your session has ended.';

/**
 * `<slo-signed-out>`: tells a person that their session has ended, and why. It shows nothing until it is given an
 * event. What the person can do next goes inside it: `<slo-signed-out><a href="/login">Sign in</a></slo-signed-out>`.
 *
 * Attributes: `heading` and `message` for texts of your own, and for each `source` one that goes before `message`:
 * `message-idle`, `message-session-api`. The reason that came with the event goes before all of them.
 * While it shows, it has the attribute `open`. Parts: `notice`, `heading`, `message`, `time`, `actions`.
 * Custom properties: `--slo-color`, `--slo-background`, `--slo-border`, `--slo-radius`, `--slo-padding`,
 * `--slo-width`, `--slo-font`.
 *
 * The focus moves to the heading, and the message is in a live region. It does not move where less motion is wanted,
 * and is light or dark as the page's `color-scheme` allows, both by default.
 */
export class SignedOutNoticeElement extends Base {
  static readonly observedAttributes = ['heading', 'message', ...[...MESSAGES.keys()].map(attributeOf)];

  #event: SignedOutEvent | null = null;
  #announcing: ReturnType<typeof setTimeout> | undefined;
  readonly #heading = part('h1', 'heading');
  readonly #message = part('p', 'message');
  readonly #time = part('time', 'time');

  constructor() {
    super();
    const notice = part('div', 'notice');
    const live = document.createElement('div');
    live.role = 'status';
    live.append(this.#message);
    this.#heading.tabIndex = -1;
    const actions = part('div', 'actions');
    actions.append(document.createElement('slot'));
    notice.append(this.#heading, live, this.#time, actions);
    dress(this, LOOK, notice);
  }

  /** The sign-out to tell of. Null: none, and nothing is shown. */
  get event(): SignedOutEvent | null {
    return this.#event;
  }

  set event(event: SignedOutEvent | null | undefined) {
    if (event === this.#event) return;
    this.#event = event ?? null;
    this.#render();
    if (this.isConnected) this.#present();
  }

  connectedCallback(): void {
    if (!upgrade(this, 'event')) this.#present();
  }

  disconnectedCallback(): void {
    clearTimeout(this.#announcing);
    this.#message.textContent = '';
  }

  attributeChangedCallback(): void {
    this.#render();
    if (this.#message.textContent) this.#announce();
  }

  #render(): void {
    const event = this.#event;
    this.toggleAttribute('open', !!event);
    say(this.#heading, this.getAttribute('heading'), 'You are signed out');
    const at = new Date(event?.occurredAt ?? NaN);
    this.#time.hidden = isNaN(at.getTime());
    if (this.#time.hidden) return;
    this.#time.dateTime = at.toISOString();
    this.#time.textContent = at.toLocaleString(languageAt(this), { dateStyle: 'medium', timeStyle: 'short' });
  }

  /** Moves the focus, which says the heading, and then has the message announced. */
  #present(): void {
    clearTimeout(this.#announcing);
    this.#message.textContent = '';
    if (!this.#event) return;
    this.#heading.focus();
    this.#announcing = setTimeout(() => this.#announce(), ANNOUNCE_MS);
  }

  #announce(): void {
    const { reason, source } = this.#event!;
    // As text: another app wrote it.
    const own = this.getAttribute(attributeOf(source)) ?? this.getAttribute('message');
    say(this.#message, reason || own, MESSAGES.get(source) ?? MESSAGE);
  }
}

/** Texts by the source of a sign-out. */
export type Messages = Readonly<Partial<Record<LogoutSource, string>>>;

/** Such texts, as the attributes of the element. */
export function attributesOf(messages: Messages = {}): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(messages).map(([source, text]) => [attributeOf(source), text]));
}

/** The attribute for the text of one source. */
function attributeOf(source: LogoutSource): string {
  return `message-${source.replaceAll('_', '-')}`;
}

/** Makes `<slo-signed-out>` known to the page, once. On a server it does nothing. */
export function defineSignedOutNotice(): void {
  define(SIGNED_OUT_NOTICE, SignedOutNoticeElement);
}

declare global {
  interface HTMLElementTagNameMap {
    'slo-signed-out': SignedOutNoticeElement;
  }
}
