import { Base, button, define, dress, languageAt, mark, part, upgrade } from './element.js';
import { leave, type Leaver } from './leave.js';
import { askForSessions, reachOf, Refused, type ListedSession, type Reach, type Trouble } from './sessions-api.js';
import { LOOK } from './sessions-style.js';
import { ago, counted, day, fill, TEXTS, type TextName } from './sessions-words.js';
import type { SloClient } from './types.js';

/** The name of the element in HTML. */
export const SESSIONS = 'slo-sessions';

/** What the list needs of a client. Every client of this package will do. */
export type SessionsClient = Pick<SloClient, 'state' | 'ready' | 'options' | 'on'> & Leaver;

/** The detail of the event `slo-fresh-sign-in`. */
export interface FreshSignIn {
  /** For the request to sign in: `max_age=0` has the person prove who they are, however short ago they did. */
  readonly maxAge: 0;
  /** The list goes on with what was asked of it when this is fulfilled: the app has a new ID token by then. */
  waitUntil(signedIn: Promise<unknown>): void;
}

/** What is written beside the list, and what its button does. */
interface Notice {
  readonly text: TextName;
  readonly button?: TextName;
  readonly act?: () => void;
}

type Values = (language: string | undefined, isOurs: boolean) => Readonly<Record<string, string>>;

/**
 * `<slo-sessions>`: the sessions of the person who is signed in, for an app's own account page, each with a button that
 * ends it, and one that ends all others. Give it the client: `element.client = slo`.
 *
 * Attributes: every text, see the docs. Method: `refresh()`. Events: `slo-fresh-sign-in`, when the person has to sign in
 * again before sessions can be ended, with {@link FreshSignIn} as its detail; `slo-sign-out`, when this very session is
 * to be ended; without `preventDefault()` it calls the client's `logout()`, or `signOut()` where there is none.
 * Parts: `panel`, `heading`, `status`, `notice`, `action`, `list`, `session`, `current`, `about`, `device`, `badge`,
 * `details`, `ended-at-issuer`, `sign-out`, `more`, `alone`, `others`, `everywhere`, `dialog`, `question`, `reach`,
 * `lapsed`, `actions`, `confirm`, `cancel`.
 * Custom properties: those of `<slo-idle-warning>`.
 */
export class SessionsElement extends Base {
  static readonly observedAttributes = Object.keys(TEXTS);

  #client: SessionsClient | null = null;
  #listening: Array<() => void> = [];
  /** As long as one client is listened to. */
  #life = new AbortController();
  #loading = new AbortController();
  /** Null: not known. */
  #sessions: readonly ListedSession[] | null = null;
  /** What the hub says of all others. */
  #counted: unknown;
  #notice: Notice | null = null;
  #isEnding = false;
  readonly #panel = part('section', 'panel');
  readonly #heading = part('h2', 'heading');
  readonly #status = part('p', 'status');
  readonly #notices = part('div', 'notice');
  readonly #list = part('ul', 'list');
  readonly #others = part('div', 'others');
  readonly #dialog = part('dialog', 'dialog');

  constructor() {
    super();
    this.#heading.tabIndex = -1;
    this.#heading.id = 'heading';
    this.#panel.setAttribute('aria-labelledby', 'heading');
    this.#status.role = this.#notices.role = 'status';
    this.#list.role = 'list'; // Which Safari forgets where there are no bullets.
    this.#dialog.setAttribute('aria-labelledby', 'question');
    this.#panel.append(this.#heading, this.#status, this.#notices, this.#list, this.#others, this.#dialog);
    dress(this, LOOK, this.#panel);
  }

  /** The client whose person it is. Null: none. */
  get client(): SessionsClient | null {
    return this.#client;
  }

  set client(client: SessionsClient | null | undefined) {
    if (client === this.#client) return;
    this.#letGo();
    this.#client = client ?? null;
    if (this.isConnected) this.#listen();
  }

  connectedCallback(): void {
    this.#render();
    if (!upgrade(this, 'client')) this.#listen();
  }

  disconnectedCallback(): void {
    this.#letGo();
  }

  attributeChangedCallback(): void {
    this.#render();
  }

  /** Loads the list anew. What goes wrong is said beside it. */
  async refresh(): Promise<void> {
    const client = this.#client;
    if (!client) return;
    this.#loading.abort();
    const { signal } = (this.#loading = new AbortController());
    if (!this.#sessions) this.#show(null, { text: 'loading' });
    const again = (text: TextName): Notice => ({ text, button: 'retry', act: () => void this.refresh() });
    try {
      const { sessions, others, complete } = await askForSessions(client, 'GET', '', signal);
      if (signal.aborted) return;
      if (!Array.isArray(sessions)) throw new Refused('failed');
      this.#counted = others;
      this.#show(sessions as ListedSession[], complete === false ? again('incomplete') : null);
    } catch (cause) {
      if (signal.aborted) return;
      if (troubleOf(cause) === 'nobody') this.#show(null, { text: 'nobody' });
      else this.#show(this.#sessions, again('not-loaded'));
    }
  }

  #listen(): void {
    const client = this.#client;
    if (!client || this.#listening.length) return;
    const { signal } = (this.#life = new AbortController());
    this.#listening.push(
      client.on('state', ({ state }) => {
        if (state === 'connected') void this.refresh();
        else if (state === 'idle' || state === 'signed-out') this.#clear({ text: 'nobody' });
      }),
    );
    if (client.state === 'connected') return void this.refresh();
    this.#show(null, { text: 'loading' });
    // Where the hub's channel does not come about, the list may.
    void client.ready.then((state) => {
      if (!signal.aborted && state !== 'connected') void this.refresh();
    });
  }

  #letGo(): void {
    for (const stop of this.#listening) stop();
    this.#listening = [];
    this.#life.abort();
    this.#clear(null);
  }

  /** Nobody's sessions are shown to whoever comes next. */
  #clear(notice: Notice | null): void {
    this.#loading.abort();
    this.#status.textContent = '';
    this.#dialog.close();
    this.#show(null, notice);
  }

  async #end(path: string, done: TextName, device = ''): Promise<void> {
    const { signal } = this.#life;
    if (!this.#client || this.#isEnding) return;
    const again = () => void this.#end(path, done, device);
    this.#isEnding = true;
    this.#panel.ariaBusy = 'true';
    this.#status.textContent = '';
    let trouble: Trouble | undefined;
    try {
      await askForSessions(this.#client, 'DELETE', path, signal);
    } catch (cause) {
      trouble = troubleOf(cause);
    }
    this.#isEnding = false;
    this.#panel.ariaBusy = null;
    if (signal.aborted) return;
    if (trouble === 'not-fresh') {
      return this.#show(this.#sessions, { text: 'not-fresh', button: 'sign-in', act: () => void this.#signInAgain(again) });
    }
    if (trouble === 'failed') return this.#show(this.#sessions, { text: 'not-ended', button: 'retry', act: again });
    await this.refresh();
    // One that is there no more has ended too.
    if (trouble !== 'nobody' && !signal.aborted) this.#say(this.#status, done, () => ({ device }));
  }

  async #signInAgain(then: () => void): Promise<void> {
    const { signal } = this.#life;
    const signIns: Array<Promise<unknown>> = [];
    const detail: FreshSignIn = { maxAge: 0, waitUntil: (signedIn) => void signIns.push(signedIn) };
    this.dispatchEvent(new CustomEvent('slo-fresh-sign-in', { bubbles: true, composed: true, detail }));
    try {
      await Promise.all(signIns);
      // Who says nothing to wait for leaves the page.
      if (signIns.length && !signal.aborted) then();
    } catch (cause) {
      reportError(cause);
    }
  }

  #show(sessions: readonly ListedSession[] | null, notice: Notice | null): void {
    this.#sessions = sessions;
    this.#notice = notice;
    this.#render();
  }

  #render(): void {
    const focused = (this.shadowRoot!.activeElement as HTMLElement | null)?.dataset['key'];
    this.#say(this.#heading, 'heading');
    this.#renderNotice();
    this.#list.replaceChildren(...(this.#sessions ?? []).map((session) => this.#row(session)));
    this.#renderOthers();
    if (focused === undefined) return;
    const buttons = [...this.#panel.querySelectorAll<HTMLElement>('[data-key]')];
    // The button that was pressed may be gone, with its row.
    (buttons.filter(({ dataset }) => dataset['key'] === focused)[0] ?? this.#heading).focus();
  }

  #renderNotice(): void {
    const notice = this.#notice;
    this.#notices.hidden = !notice;
    this.#notices.replaceChildren();
    if (!notice) return;
    const text = document.createElement('p');
    this.#say(text, notice.text);
    this.#notices.append(text);
    if (notice.button) this.#notices.append(this.#button('action', notice.button, () => notice.act?.(), 'action'));
  }

  #row(session: ListedSession): HTMLLIElement {
    const { id, current, device, ended_at_issuer: hasEnded } = session;
    const row = part('li', current ? 'session current' : 'session');
    const about = part('div', 'about');
    const name = part('div', 'device');
    name.textContent = device;
    about.append(name, this.#details(session));
    if (hasEnded) this.#tell(about, 'ended-at-issuer', 'ended-at-issuer');
    if (current) {
      const badge = part('span', 'badge');
      this.#say(badge, 'current');
      name.append(' ', badge);
    }
    const pressed = () => {
      if (!current) void this.#end(`/${encodeURIComponent(id)}`, 'signed-out', device);
      else if (this.#client) leave(this, this.#client)?.catch((cause: unknown) => reportError(cause));
    };
    const signOut = this.#button('sign-out', 'sign-out', pressed, id);
    const which = document.createElement('span');
    which.className = 'unseen';
    which.textContent = ` ${device}`;
    signOut.append(which);
    row.append(about, signOut);
    return row;
  }

  #details({ active, started_at, last_seen_at, address, asn, apps }: ListedSession): HTMLElement {
    const details = part('p', 'details');
    const now = Date.now();
    details.append(
      this.#time(active ? 'active-now' : 'last-active', last_seen_at, (at, language) => ago(at, now, language)),
      this.#time('signed-in', started_at, day),
    );
    const place = address && asn ? `${address}, AS${asn}` : address;
    for (const text of [place, apps.map((app) => app.name).join(', ')]) {
      if (!text) continue;
      const fact = document.createElement('span');
      fact.textContent = text;
      details.append(fact);
    }
    return details;
  }

  /** A sentence about a time, with the exact one for whoever points at it, and for machines. */
  #time(name: TextName, written: string, words: (at: Date, language: string | undefined) => string): HTMLTimeElement {
    const time = document.createElement('time');
    const at = new Date(written);
    const isTime = !isNaN(at.getTime());
    if (isTime) {
      time.dateTime = at.toISOString();
      time.title = at.toLocaleString(languageAt(this), { dateStyle: 'long', timeStyle: 'short' });
    }
    this.#say(time, name, (language) => ({ time: isTime ? words(at, language) : '' }));
    return time;
  }

  #renderOthers(): void {
    const others = this.#sessions?.filter(({ current }) => !current);
    this.#others.replaceChildren();
    if (!others) return;
    const reach = reachOf(others, this.#counted);
    const more = reach.sessions - others.length;
    if (!others.length) this.#tell(this.#others, 'alone', reach.lapsed ? 'alone-maybe' : 'alone');
    if (more > 0) this.#tell(this.#others, 'more', 'more', () => ({ sessions: String(more) }));
    if (reach.sessions + reach.lapsed === 0) return;
    this.#others.append(this.#button('everywhere', 'everywhere', () => this.#ask(reach), 'everywhere'));
  }

  /** Asks before all others are ended, and says how many that are. */
  #ask({ sessions, devices, apps, lapsed }: Reach): void {
    const question = part('h3', 'question');
    question.id = 'question';
    this.#say(question, 'confirm');
    this.#dialog.replaceChildren(question);
    if (sessions) {
      this.#tell(this.#dialog, 'reach', 'reach', (_, isOurs) => ({
        sessions: counted(sessions, 'session', isOurs),
        devices: counted(devices, 'device', isOurs),
        apps: counted(apps, 'app', isOurs),
      }));
    }
    if (lapsed) {
      this.#tell(this.#dialog, 'lapsed', 'lapsed', (_, isOurs) => ({ sessions: counted(lapsed, 'session', isOurs) }));
    }
    const actions = part('div', 'actions');
    const confirmed = () => {
      this.#dialog.close();
      void this.#end('?except=current', 'all-signed-out');
    };
    const cancel = this.#button('cancel', 'cancel', () => this.#dialog.close());
    cancel.autofocus = true;
    actions.append(this.#button('confirm', 'everywhere', confirmed), cancel);
    this.#dialog.append(actions);
    this.#dialog.showModal();
    cancel.focus();
  }

  #button(name: string, text: TextName, pressed: () => void, key?: string): HTMLButtonElement {
    const made = button(name, pressed);
    if (key !== undefined) made.dataset['key'] = key;
    this.#say(made, text);
    return made;
  }

  /** A paragraph. */
  #tell(parent: HTMLElement, name: string, text: TextName, values?: Values): void {
    const paragraph = part('p', name);
    this.#say(paragraph, text, values);
    parent.append(paragraph);
  }

  /** The page's text of that name, or our own. As text: apps and browsers name themselves. */
  #say(element: HTMLElement, name: TextName, values: Values = () => ({})): void {
    const own = this.getAttribute(name);
    const isOurs = own === null;
    element.textContent = fill(own ?? TEXTS[name], values(isOurs ? 'en' : languageAt(this), isOurs));
    mark(element, isOurs);
  }
}

function troubleOf(cause: unknown): Trouble {
  return cause instanceof Refused ? cause.trouble : 'failed';
}

/** Makes `<slo-sessions>` known to the page, once. On a server it does nothing. */
export function defineSessions(): void {
  define(SESSIONS, SessionsElement);
}

declare global {
  interface HTMLElementTagNameMap {
    'slo-sessions': SessionsElement;
  }
  interface HTMLElementEventMap {
    'slo-fresh-sign-in': CustomEvent<FreshSignIn>;
  }
}
