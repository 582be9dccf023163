import type { SessionData } from './types.js';

/** Whose session it is. A member is absent where it is not known. */
export interface Identity {
  readonly iss?: string;
  readonly sid?: string;
  readonly sub?: string;
}

/** A session as a table keeps it. All times are whole seconds since 1970. */
export interface SessionRow extends Identity {
  /** The random key, which the browser's cookie holds. */
  readonly id: string;
  /** When the person signed in. */
  readonly beganAt: number;
  /** When it expires unless it is used again. */
  readonly expiresAt: number;
  /** When it expires however much it is used. */
  readonly endsAt: number;
  /** The session as JSON: members that are undefined are gone, as they are in a cookie. */
  readonly data: string;
}

/** How long sessions live, in seconds. */
export interface Lifetime {
  readonly absoluteDuration: number;
  readonly inactivityDuration: number;
  readonly rolling: boolean;
}

/**
 * @throws {TypeError} Where the session does not say when it began: it could never expire.
 */
export function rowOf(id: string, session: unknown, now: number, lifetime: Lifetime, issuer?: string): SessionRow {
  const { user, tokenSet, internal } = session as Partial<SessionData>;
  const createdAt = internal?.createdAt;
  if (typeof createdAt !== 'number' || !Number.isFinite(createdAt)) {
    throw new TypeError('a session needs internal.createdAt, in seconds since 1970');
  }
  const token = claimsOf(tokenSet?.idToken);
  const endsAt = Math.floor(createdAt + lifetime.absoluteDuration);
  return {
    id,
    ...present('iss', token['iss'] ?? issuerOf(internal) ?? issuer),
    ...present('sid', internal?.sid ?? token['sid']),
    ...present('sub', user?.sub ?? token['sub']),
    beganAt: Math.floor(earliest(createdAt, token['auth_time'])),
    expiresAt: lifetime.rolling ? Math.min(endsAt, now + lifetime.inactivityDuration) : endsAt,
    endsAt,
    data: JSON.stringify(session),
  };
}

function present(name: keyof Identity, value: unknown): Identity {
  return typeof value === 'string' && value !== '' ? { [name]: value } : {};
}

/** With several custom domains, nextjs-auth0 notes the issuer itself. */
function issuerOf(internal: object | undefined): unknown {
  return (internal as { mcd?: { issuer?: unknown } } | undefined)?.mcd?.issuer;
}

/** The person may have signed in at the issuer long before this app's session began. */
function earliest(createdAt: number, signedInAt: unknown): number {
  return typeof signedInAt === 'number' && Number.isFinite(signedInAt) ? Math.min(createdAt, signedInAt) : createdAt;
}

/** The claims of a token that was verified before the session was made. None of one that cannot be read. */
function claimsOf(token: unknown): Readonly<Record<string, unknown>> {
  if (typeof token !== 'string') return {};
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    return claims instanceof Object ? (claims as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
