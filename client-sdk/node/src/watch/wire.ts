import type { HubLogout, WatchErrorCode } from './types.js';

/** What the hub says: an object, and nothing else is certain. */
export type HubMessage = Readonly<Record<string, unknown>>;

/** Undefined for what is no message: it says nothing. */
export function readMessage(text: string): HubMessage | undefined {
  try {
    const message: unknown = JSON.parse(text);
    return message instanceof Object ? (message as HubMessage) : undefined;
  } catch {
    return undefined;
  }
}

/** A logout as an `slo-event` tells of it. Undefined where it names nobody. */
export function readLogout(event: HubMessage): HubLogout | undefined {
  const { id, issuer: iss, scope, sid, sub, source, reason, occurred_at: occurredAt } = event;
  const time = typeof occurredAt === 'string' ? Date.parse(occurredAt) : NaN;
  if (!isText(id) || !isText(iss) || !isText(source) || Number.isNaN(time)) return undefined;
  const told = { id, iss, source, iat: Math.ceil(time / 1000), ...(isText(reason) && { reason }) };
  const who = isText(sub) ? { sub } : {};
  if (scope === 'session' && isText(sid)) return { ...told, scope, sid, ...who };
  if (scope === 'user' && isText(sub)) return { ...told, scope, sub };
  return undefined;
}

export function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** Whether to stay away until somebody acts. */
export function isFinal(closeCode: number): boolean {
  return closeCode >= 4500 && closeCode < 5000;
}

const REFUSALS: Readonly<Record<string, WatchErrorCode>> = {
  unknown_cursor: 'unknown_cursor',
  invalid_client: 'invalid_client',
  invalid_token: 'invalid_client',
  not_allowed: 'not_allowed',
  invalid_origin: 'not_allowed',
  bad_message: 'bad_message',
};

/** Why the hub wants nothing more of this back end: by its `error` frame, the finer name first. */
export function refusalOf(error: HubMessage | undefined): WatchErrorCode {
  return REFUSALS[String(error?.['code'])] ?? REFUSALS[String(error?.['error'])] ?? 'refused';
}

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** When the hub recorded a logout, in ms since 1970: a ULID begins with it. */
export function recordedAt(id: string): number {
  return [...id.slice(0, 10)].reduce((time, letter) => time * 32 + CROCKFORD.indexOf(letter), 0);
}
