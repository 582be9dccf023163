import { LOOK } from './elements-style.js';
import type { LogoutSource, SignedOutEvent } from './types.js';

export type { LogoutScope, LogoutSource, SignedOutEvent } from './types.js';

/** The name of the element in HTML. */
export const SIGNED_OUT_NOTICE = 'slo-signed-out';

/** A screen reader announces what changes in a live region that it knows, so the region has to be there a little before, in ms. */
const ANNOUNCE_MS = 100;

/** What is said where neither the other app nor this page has a text. */
const MESSAGES: Readonly<Partial<Record<LogoutSource, string>>> = {
  app: 'You signed out in another app.',
  session_api: 'This session was ended from the list of your devices.',
  admin: 'An administrator ended your session.',
  idle: 'You were away for a while.',
  absolute: 'Your session had reached its time limit.',
  signal: 'Your session was ended to protect your account.',
};
const MESSAGE = 'Your session has ended.';

/** On a server there is nothing to extend; the class can be imported, and not made. */
const Base = (globalThis.HTMLElement ?? class {}) as typeof HTMLElement;

/**
 * `<slo-signed-out>`: tells a person that their session has ended, and why. It shows nothing until it is given an
 * event. What the person can do next goes inside it: `<slo-signed-out><a href="/login">Sign in</a></slo-signed-out>`.
 *
 * Attributes: `heading` and `message` for texts of your own; the reason that another app gave goes before `message`.
 * While it shows, it has the attribute `open`. Parts: `notice`, `heading`, `message`, `time`, `actions`.
 * Custom properties: `--slo-color`, `--slo-background`, `--slo-border`, `--slo-radius`, `--slo-padding`,
 * `--slo-width`, `--slo-font`.
 *
 * The focus moves to the heading, and the message is in a live region. It does not move where less motion is wanted,
 * and is light or dark as the page's `color-scheme` allows, both by default.
 */
export class SignedOutNoticeElement extends Base {
  static readonly observedAttributes = ['heading', 'message'];

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
    const root = this.attachShadow({ mode: 'open' });
    // A style sheet made by script is no inline style, which a Content-Security-Policy may forbid.
    const look = new CSSStyleSheet();
    look.replaceSync(LOOK);
    root.adoptedStyleSheets = [look];
    root.append(notice);
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
    // Given before the element was defined, it hides what is declared above.
    if (Object.hasOwn(this, 'event')) {
      const { event } = this;
      Reflect.deleteProperty(this, 'event');
      this.event = event;
    } else {
      this.#present();
    }
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
    const language = this.closest<HTMLElement>('[lang]')?.lang || undefined;
    this.#time.dateTime = at.toISOString();
    this.#time.textContent = at.toLocaleString(language, { dateStyle: 'medium', timeStyle: 'short' });
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
    say(this.#message, reason || this.getAttribute('message'), MESSAGES[source] ?? MESSAGE);
  }
}

function part<K extends keyof HTMLElementTagNameMap>(tag: K, name: string): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  element.setAttribute('part', name);
  return element;
}

/** Our own words are English, whatever the page is. */
function say(element: HTMLElement, text: string | null, otherwise: string): void {
  element.textContent = text ?? otherwise;
  if (text === null) element.lang = 'en';
  else element.removeAttribute('lang');
}

/** Makes `<slo-signed-out>` known to the page; once is enough, more does no harm. On a server it does nothing. */
export function defineElements(): void {
  const { customElements } = globalThis;
  if (customElements && !customElements.get(SIGNED_OUT_NOTICE)) {
    customElements.define(SIGNED_OUT_NOTICE, SignedOutNoticeElement);
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'slo-signed-out': SignedOutNoticeElement;
  }
}
