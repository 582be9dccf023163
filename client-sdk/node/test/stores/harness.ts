import type { SessionData, SessionStore, SessionStoreOptions } from '../../src/stores/index.js';

/** A database that runs, for as long as a suite does. */
export interface Harness {
  /** A store with a connection of its own. */
  open(options: SessionStoreOptions): Promise<SessionStore>;
  /** How many sessions the database holds, whether they have expired or not. */
  count(): Promise<number>;
  /** Forgets every session. */
  clear(): Promise<void>;
  stop(): Promise<void>;
  /** Whether the database itself removes what has expired, so that `cleanUp` has nothing to do. */
  readonly forgetsByItself: boolean;
}

export const NOON = Date.UTC(2026, 0, 1, 12) / 1000;
export const HOUR = 3600;
export const DAY = 24 * HOUR;
export const ACME = 'https://acme.eu.auth0.com/';
export const OTHER = 'https://other.example/';
export const ADA = 'auth0|ada';

export interface Person {
  readonly iss?: string | undefined;
  readonly sid?: string | undefined;
  readonly sub?: string;
  readonly createdAt?: number;
  readonly authTime?: number;
  readonly [member: string]: unknown;
}

/** A session as nextjs-auth0 makes it. Without an `iss` there is no ID token to tell it. */
export function sessionOf({ sid = 's-1', sub = ADA, createdAt = NOON, authTime, ...person }: Person): SessionData {
  const iss = 'iss' in person ? person.iss : ACME;
  const { iss: _, ...rest } = person;
  const claims = { iss, sub, sid, auth_time: authTime };
  return {
    user: { sub, name: 'Ada' },
    tokenSet: { accessToken: 'at', expiresAt: createdAt + HOUR, ...(iss !== undefined && { idToken: tokenOf(claims) }) },
    internal: { sid, createdAt },
    ...rest,
  };
}

export function tokenOf(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'RS256' })}.${part(claims)}.c2ln`;
}
