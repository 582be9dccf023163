import type { SloClient } from './types.js';

/** One of a person's sessions, as the hub lists it. */
export interface ListedSession {
  readonly id: string;
  /** The session that asks. */
  readonly current: boolean;
  /** Somebody is there just now. */
  readonly active: boolean;
  /** Its sign-in at the issuer has ended, which ends it in no app. Absent: not known. */
  readonly ended_at_issuer?: boolean;
  /** "Chrome on macOS". */
  readonly device: string;
  /** RFC 3339, as the next. */
  readonly started_at: string;
  readonly last_seen_at: string;
  /** An address, or after a while its network. */
  readonly address?: string;
  /** The number of the network that the address belongs to. */
  readonly asn?: number;
  readonly apps: ReadonlyArray<{ readonly name: string; readonly client_id: string }>;
}

/** Why the hub does not do it. */
export type Trouble =
  /** Nobody is signed in to this app, or not any more. */
  | 'nobody'
  /** The person has to sign in once more, because they did so too long ago. */
  | 'not-fresh'
  /** It is there no more. */
  | 'gone'
  /** The hub cannot be reached, or says no. */
  | 'failed';

export class Refused extends Error {
  constructor(readonly trouble: Trouble) {
    super(trouble);
  }
}

/**
 * Asks the hub for the person's sessions (GET), or has it end some (DELETE), with the app's ID token. An expired one is
 * exchanged once.
 *
 * Rejects with {@link Refused}, and with whatever `getToken`, the network or the signal say.
 */
export async function askForSessions(
  { options }: Pick<SloClient, 'options'>,
  method: 'GET' | 'DELETE',
  path: string,
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  const { fetch = globalThis.fetch, hub, getToken } = options;
  const address = `${new URL(hub).href.replace(/\/+$/, '')}/api/v1/me/sessions${path}`;
  for (const reason of ['connect', 'rejected'] as const) {
    const token = await getToken({ reason, signal });
    if (!token) break;
    const headers = { Authorization: `Bearer ${token}` };
    const response = await fetch(address, { method, signal, credentials: 'omit', headers });
    const body = (await response.json()) as Record<string, unknown>;
    if (response.ok) return body;
    const trouble = troubleOf(response.status, body);
    if (trouble !== 'expired') throw new Refused(trouble);
  }
  throw new Refused('nobody');
}

function troubleOf(status: number, { error, code }: Record<string, unknown>): Trouble | 'expired' {
  if (error === 'insufficient_user_authentication') return 'not-fresh';
  if (code === 'token_expired') return 'expired';
  if (code === 'logged_out') return 'nobody';
  return status === 404 ? 'gone' : 'failed';
}

/** What ending all others would reach, as the hub counts: also sessions that it does not list. */
export interface Reach {
  readonly sessions: number;
  readonly devices: number;
  readonly apps: number;
  /** Sessions besides those that are probably over. */
  readonly lapsed: number;
}

/** The hub's own count, or, of a hub that has none, what these sessions are. A device is a browser of one name at one address. */
export function reachOf(sessions: readonly ListedSession[], counted: unknown): Reach {
  if (isReach(counted)) return counted;
  const devices = new Set(sessions.map(({ device, address }) => JSON.stringify([device, address])));
  const apps = new Set(sessions.flatMap((session) => session.apps.map(({ client_id: id }) => id)));
  return { sessions: sessions.length, devices: devices.size, apps: apps.size, lapsed: 0 };
}

function isReach(value: unknown): value is Reach {
  const counts = value as Partial<Reach> | null | undefined;
  return [counts?.sessions, counts?.devices, counts?.apps, counts?.lapsed].every(Number.isSafeInteger);
}
