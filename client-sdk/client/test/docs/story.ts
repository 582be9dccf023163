import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it, vi } from 'vitest';
import { Browser } from '../browser.js';
import { HUB } from '../hub.js';

const EXAMPLES = path.join(import.meta.dirname, '../../examples');

/** What is to be pasted, as a test takes it. */
export const example = (name: string): string => path.join(EXAMPLES, name);
export const read = (name: string): string => readFileSync(example(name), 'utf8');

/** What is in the body of a page of the docs, without what would be loaded. */
export function body(name: string): string {
  return read(name).replace(/<script .*<\/script>/g, '');
}

/** An app of the docs in a window of its own, as somebody meets it who has pasted it. */
export class Story {
  readonly browser = new Browser();

  /** `load` runs the example as one page load does. */
  constructor(private readonly html: string, private readonly load: () => Promise<unknown>) {}

  async open(): Promise<void> {
    document.body.innerHTML = this.html;
    vi.resetModules();
    await this.browser.until(this.load);
  }

  async openSignedIn(): Promise<void> {
    await this.browser.signIn();
    await this.open();
    await this.browser.see(() => this.text.includes('Signed in as Ada Lovelace'));
    expect(this.browser.hub.connections).toHaveLength(1);
  }

  /** What somebody sees who looks at the page. */
  get text(): string {
    return seen(document.body).join(' ');
  }

  get notice(): HTMLElement | null {
    return document.querySelector<HTMLElement>('slo-signed-out[open]');
  }

  press(label: string): void {
    const buttons = [...document.querySelectorAll('button')].filter((button) => !button.closest('[hidden]'));
    buttons.find((button) => button.textContent === label)!.click();
  }

  /** Elsewhere, the session ends: nothing private is left, the notice says why and has the focus, the hub is told. */
  async isSignedOutElsewhere(): Promise<void> {
    const { hub } = this.browser;
    const id = hub.signOutElsewhere('s1', { reason: 'You signed out in Shop' });
    await this.browser.see(() => hub.acked.length > 0);
    vi.advanceTimersByTime(100);
    expect(hub.acked).toEqual([id]);
    expect(document.activeElement).toBe(this.notice);
    expect(this.notice?.shadowRoot?.querySelector('[part=message]')?.textContent).toBe('You signed out in Shop');
    expect(this.text).not.toContain('Ada');
  }

  async seesNobody(): Promise<void> {
    await this.browser.see(() => this.text.includes('Sign in'));
    expect(this.text).not.toMatch(/Signed in|Sign out/);
    expect(this.browser.hub.connections).toHaveLength(0);
  }

  async signsOut(): Promise<void> {
    this.press('Sign out');
    await this.browser.see(() => this.browser.navigated.length > 0);
    expect(this.browser.navigated).toEqual([`${HUB}/logout/continue?ticket=once`]);
    const report = this.browser.hub.requests.find(({ url }) => url === 'https://logout.example.com/api/v1/logouts');
    expect(report?.method).toBe('POST');
  }

  async goesToSignIn(authorize: string): Promise<void> {
    this.press('Sign in');
    await this.browser.see(() => this.browser.navigated.length > 0);
    expect(this.browser.navigated[0]).toContain(authorize);
  }

  close(): void {
    this.browser.close();
  }
}

/** What every app of the docs has to do that signs in with Auth0. `its` is asked inside of the tests. */
export function tellsTheStory(its: () => Story): void {
  const authorize = 'https://acme.eu.auth0.com/authorize';

  it('shows nobody the way to sign in', async () => {
    await its().open();
    await its().seesNobody();
    await its().goesToSignIn(authorize);
  });

  it('hears of a sign-out elsewhere, and tells', async () => {
    await its().openSignedIn();
    await its().isSignedOutElsewhere();
    await its().goesToSignIn(authorize);
  });

  it('signs out everywhere by its button', async () => {
    await its().openSignedIn();
    await its().signsOut();
  });
}

function seen(node: Node): string[] {
  if (node instanceof Text) return [node.data.trim()];
  if (!(node instanceof HTMLElement) || node.hidden || (node.localName === 'slo-signed-out' && !node.hasAttribute('open'))) return [];
  return [...node.childNodes].flatMap(seen).filter(Boolean);
}
