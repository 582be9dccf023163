import type { SignedOutEvent } from '@slo-hub/client';

/** Why a person is signed out, ready to be shown to them. */
export interface Why {
  /** A sentence without its full stop: "You signed out in Shop". */
  readonly sentence: string;
  /** RFC 3339. */
  readonly at: string;
  /** On every device, and not in this browser alone. */
  readonly everywhere: boolean;
}

const BY_SOURCE: Record<string, string> = {
  app: 'You signed out in another app',
  redirect: 'You signed out in another app',
  backchannel: 'Your session was ended at the identity provider',
  session_api: 'Your session was ended by one of our services',
  admin: 'An administrator ended your session',
  idle: 'You were away for a while',
  absolute: 'Your session had lasted as long as a session may',
  signal: 'Your session was ended to keep your account safe',
};

export function whyOf(event: SignedOutEvent): Why {
  return {
    sentence: event.reason ?? BY_SOURCE[event.source] ?? 'Your session has ended',
    at: event.occurredAt,
    everywhere: event.scope === 'user',
  };
}

/** "You signed out in Shop at 14:03." */
export function whyText({ sentence, at }: Why): string {
  const time = new Date(at).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
  return `${sentence} at ${time}.`;
}

const KEY = 'signed-out-why';

/** Keeps the reason for this tab's signed-out page, over a reload and over the way through the tenant. */
export function rememberWhy(why: Why): void {
  sessionStorage.setItem(KEY, JSON.stringify(why));
}

export function recallWhy(): Why | undefined {
  const text = sessionStorage.getItem(KEY);
  return text === null ? undefined : (JSON.parse(text) as Why);
}

export function forgetWhy(): void {
  sessionStorage.removeItem(KEY);
}
