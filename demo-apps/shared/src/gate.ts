import { h, icon, show } from './dom';
import { whyText, type Why } from './why';

/** How an app looks from outside, before anybody is signed in. */
export interface Brand {
  readonly name: string;
  /** The path of its logo on a 24 by 24 grid. */
  readonly logo: string;
  readonly promise: string;
  readonly pitch: string;
  /** What a person misses while signed out: "Your notes are". */
  readonly keeps: string;
}

const DOOR = 'M10 4H6a2 2 0 0 0-2 2v12a2 2 0 0 0 2 2h4M10 12h10M16 8l4 4-4 4';

export function waitingPage(brand: Brand): void {
  document.title = brand.name;
  show(h('main', { class: 'gate', 'aria-busy': 'true' }, mark(brand, 'gate-mark pulse'), h('p', { class: 'unseen', role: 'status' }, 'Loading')));
}

export function leavingPage(brand: Brand): void {
  document.title = `Signing out · ${brand.name}`;
  show(
    h('main', { class: 'gate' }, mark(brand, 'gate-mark pulse'), h('p', { class: 'gate-lead', role: 'status' }, 'Signing you out …')),
  );
}

export function welcomePage(brand: Brand, signIn: () => void): void {
  document.title = `${brand.name} · ${brand.promise}`;
  show(
    h(
      'main',
      { class: 'gate' },
      h('p', { class: 'gate-name' }, mark(brand, 'gate-logo'), brand.name),
      h('h1', {}, brand.promise),
      h('p', { class: 'gate-lead' }, brand.pitch),
      h('button', { class: 'primary large', onclick: signIn }, 'Sign in'),
    ),
  );
}

export function signedOutPage(brand: Brand, why: Why | undefined, signIn: () => void, more?: Node): void {
  document.title = `Signed out · ${brand.name}`;
  const heading = h('h1', { tabindex: '-1' }, 'You are signed out');
  show(
    h(
      'main',
      { class: 'gate' },
      h('p', { class: 'gate-name' }, mark(brand, 'gate-logo'), brand.name),
      h('span', { class: 'gate-mark' }, icon(DOOR)),
      heading,
      h('p', { class: 'gate-lead', role: 'status' }, why ? whyText(why) : 'Your session has ended.'),
      h('button', { class: 'primary large', onclick: signIn }, 'Sign in again'),
      h('p', { class: 'gate-fine' }, `${brand.keeps} safe, and here when you come back.`),
      more,
    ),
  );
  // Whoever cannot see the page change must hear that it did.
  heading.focus();
}

export function brokenPage(brand: Brand): void {
  document.title = brand.name;
  show(
    h(
      'main',
      { class: 'gate' },
      h('p', { class: 'gate-name' }, mark(brand, 'gate-logo'), brand.name),
      h('h1', {}, 'We could not sign you in'),
      h('p', { class: 'gate-lead', role: 'alert' }, 'The sign-in was not finished, or the sign-in service does not answer.'),
      h('button', { class: 'primary large', onclick: () => location.assign('/') }, 'Try again'),
    ),
  );
}

function mark(brand: Brand, className: string): HTMLElement {
  return h('span', { class: className }, icon(brand.logo));
}
