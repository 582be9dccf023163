import { watchForGlimpses } from './glimpses.js';
import { until } from './until.js';

/** One tab with one of the demo's apps, in the words of the person who looks at it. */
export class AppPage {
  /** What the hub told this tab by WebSocket, oldest first. */
  heard = [];
  /** How often the hub took this tab as a listener, by either way. */
  subscriptions = 0;
  /** How often it tried to open a WebSocket. */
  attempts = 0;
  /** What went wrong in the page's own scripts. */
  faults = [];
  /** Where its private content is, as a selector. */
  content = 'main.notes, main.shelf';

  constructor({ page, origin, person }) {
    this.page = page;
    this.origin = origin;
    this.person = person;
  }

  /** Must come before the first navigation. */
  async watch() {
    this.page.on('pageerror', (error) => this.faults.push(error));
    this.page.on('websocket', (socket) => {
      this.attempts += 1;
      socket.on('framereceived', ({ payload }) => this.#hear(JSON.parse(payload)));
    });
    // The frames of an event stream cannot be seen from here, but that the hub opened it can.
    this.page.on('response', (response) => {
      if (response.url().endsWith('/api/v1/events') && response.ok()) this.subscriptions += 1;
    });
    await this.page.addInitScript(watchForGlimpses, this.content);
  }

  async open(at = '/') {
    await this.page.goto(this.origin + at);
  }

  /**
   * Presses "Sign in", and picks the person at the tenant if it asks. Whoever signs in or out looks at this tab:
   * browsers draw one behind another seldom.
   */
  async signIn() {
    await this.page.bringToFront();
    const before = this.subscriptions;
    await this.page.getByRole('button', { name: /^Sign in/ }).click();
    const choice = this.page.getByRole('button', { name: this.person });
    await choice.or(this.#signOutButton).first().waitFor();
    if (!(await this.#signOutButton.isVisible())) await choice.click();
    await this.showsPrivate();
    await until('the hub knows of this tab', () => this.subscriptions > before);
  }

  async signOut() {
    await this.page.bringToFront();
    await this.#signOutButton.click();
  }

  async signOutEverywhere() {
    await this.page.bringToFront();
    await this.page.getByRole('button', { name: /^Account of/ }).click();
    await this.page.getByRole('button', { name: 'Sign out on all devices' }).click();
  }

  async showsPrivate() {
    await this.#signOutButton.waitFor();
  }

  /** Waits for the app's own signed-out page, and for the reason on it. */
  async showsSignedOut(why) {
    await this.page.getByRole('heading', { name: 'You are signed out' }).waitFor();
    await this.page.getByRole('status').filter({ hasText: why }).waitFor();
    // Not waitForURL: a page from the back/forward cache never loads.
    await until('the address says so too', () => this.page.url() === `${this.origin}/signed-out`);
  }

  async isSignedIn() {
    return this.#signOutButton.isVisible();
  }

  /** The logouts that the hub told this tab of, by WebSocket. */
  get toldLogouts() {
    return this.heard.filter(({ type }) => type === 'slo-event');
  }

  /** As if the machine had lost its network: this tab's connections break, and the browser says so. */
  async goOffline(line) {
    line.cut(this.origin);
    await this.#emulateOffline(true);
  }

  async goOnline(line) {
    line.mend(this.origin);
    await this.#emulateOffline(false);
  }

  glimpses() {
    return this.page.evaluate(() => globalThis.glimpses);
  }

  /** The claims of the ID token that the app holds. */
  async idToken() {
    const raw = await this.rawIdToken();
    return JSON.parse(Buffer.from(raw.split('.')[1], 'base64url').toString());
  }

  /** Where auth0-spa-js keeps it. */
  rawIdToken() {
    return this.page.evaluate(() => {
      const key = Object.keys(localStorage).find((name) => name.includes('@@user@@'));
      return JSON.parse(localStorage.getItem(key)).id_token;
    });
  }

  #hear(message) {
    this.heard.push(message);
    if (message.type === 'subscribed') this.subscriptions += 1;
  }

  async #emulateOffline(offline) {
    this.devtools ??= await this.page.context().newCDPSession(this.page);
    const unlimited = { latency: 0, downloadThroughput: -1, uploadThroughput: -1 };
    await this.devtools.send('Network.enable');
    await this.devtools.send('Network.emulateNetworkConditions', { offline, ...unlimited });
    await until('the page knows', () => this.page.evaluate((on) => navigator.onLine === on, !offline));
  }

  get #signOutButton() {
    return this.page.getByRole('button', { name: 'Sign out', exact: true });
  }
}
