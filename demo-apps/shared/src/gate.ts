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

/** What a page for somebody outside says and shows, whatever the app is written in. */
export interface GatePage {
  /** Of the document. */
  readonly title: string;
  /** The app's name is on top. Without it, the page is there for a moment only. */
  readonly isNamed: boolean;
  /** The page is there until something has loaded, and what it says is for screen readers alone. */
  readonly isBusy?: boolean;
  /** The path of a round picture on a 24 by 24 grid; it pulses where the page is there for a moment only. */
  readonly mark?: string;
  readonly heading?: string;
  /** The heading takes the focus: whoever cannot see the page change must hear that it did. */
  readonly isNews?: boolean;
  readonly lead: string;
  readonly leadRole?: 'status' | 'alert';
  /** What the button says. */
  readonly action?: string;
  readonly fine?: string;
}

const DOOR = 'M10 4H6a2 2 0 0 0-2 2v12a2 2 0 0 0 2 2h4M10 12h10M16 8l4 4-4 4';

export function waitingPage({ name, logo }: Brand): GatePage {
  return { title: name, isNamed: false, isBusy: true, mark: logo, lead: 'Loading', leadRole: 'status' };
}

export function leavingPage({ name, logo }: Brand): GatePage {
  return { title: `Signing out · ${name}`, isNamed: false, mark: logo, lead: 'Signing you out …', leadRole: 'status' };
}

export function welcomePage({ name, promise, pitch }: Brand): GatePage {
  return { title: `${name} · ${promise}`, isNamed: true, heading: promise, lead: pitch, action: 'Sign in' };
}

/** Without a reason, that the session has ended is all there is to tell. */
export function signedOutPage({ name, keeps }: Brand, why: Why | undefined): GatePage {
  return {
    title: `Signed out · ${name}`,
    isNamed: true,
    mark: DOOR,
    heading: 'You are signed out',
    isNews: true,
    lead: why ? whyText(why) : 'Your session has ended.',
    leadRole: 'status',
    action: 'Sign in again',
    fine: `${keeps} safe, and here when you come back.`,
  };
}

export function brokenPage({ name }: Brand): GatePage {
  return {
    title: name,
    isNamed: true,
    heading: 'We could not sign you in',
    lead: 'The sign-in was not finished, or the sign-in service does not answer.',
    leadRole: 'alert',
    action: 'Try again',
  };
}
