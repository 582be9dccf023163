import { createHash } from 'node:crypto';
import { keepMark, readMark, type LogoutMarkStore } from './mark-store.js';

/** How long marks are kept where sessions have no longest life, in seconds: 400 days, as the hub keeps its logouts. */
const LONGEST_LIFE = 400 * 24 * 60 * 60;

/** A sign-in that was under way during the logout, or a request that saved its session after it, in seconds. */
const LATE = 60 * 60;

/** The member of the app's session that says when it began. */
const STARTED_AT = 'sloStartedAt';

export interface BackchannelLogoutOptions {
  readonly store: LogoutMarkStore;
  /** The time in ms since 1970, for tests. */
  readonly now?: () => number;
}

/** What is read of express-openid-connect's configuration, with its own defaults filled in. */
export interface HookConfig {
  readonly session?: {
    readonly name?: string;
    readonly absoluteDuration?: number | boolean;
  };
  /** Seconds. */
  readonly clockTolerance?: number;
}

/** What is read of a request: the claims of the session's ID token. */
export interface SignedInRequest {
  readonly oidc: { readonly idTokenClaims?: object };
}

/** The setting `backchannelLogout` of express-openid-connect. */
export interface BackchannelLogoutHooks {
  /** Rejects when the store does, or when a claim is not what the specification says: then the answer is 400. */
  onLogoutToken(token: object, config: HookConfig): Promise<void>;
  /** Rejects when the store does: a request whose session may have ended is not served. */
  isLoggedOut(request: SignedInRequest, config: HookConfig): Promise<boolean>;
  onLogin(request: SignedInRequest, config: HookConfig): void;
}

type Claims = Readonly<Record<string, unknown>>;

/**
 * Hooks for express-openid-connect by which a logout ends what it names, and nothing else:
 *
 * - A logout token with a `sid` ends that session, whatever `sub` stands beside it. Other devices stay signed in.
 * - One with a `sub` alone ends every session of that person which began at or before the token's `iat`.
 * - A sign-in takes nothing back. It only notes when its session began, so that a token refreshed later does not make
 *   an old session look new.
 *
 * ```js
 * app.use(auth({ ...config, backchannelLogout: backchannelLogout({ store }) }));
 * ```
 *
 * A mark is kept for as long as a session may live: `session.absoluteDuration`, or 400 days where that is `false`;
 * and an hour. Not for `rollingDuration`, which the library's own routes (`/login`) extend without asking whether the
 * session has ended.
 */
export function backchannelLogout({ store, now = Date.now }: BackchannelLogoutOptions): BackchannelLogoutHooks {
  let lastOfPerson: Promise<unknown> = Promise.resolve();

  function keep(key: string, at: number, config: HookConfig): Promise<void> {
    const time = now();
    return keepMark(store, key, { at, until: Math.ceil(time / 1000) + lifeOf(config) }, time);
  }

  /** One after the other, or an older logout that came at the same time could replace a newer one. */
  function keepLatest(key: string, at: number, config: HookConfig): Promise<void> {
    const turn = lastOfPerson.then(async () => {
      const former = await readMark(store, key);
      await keep(key, Math.max(at, former?.at ?? 0), config);
    });
    lastOfPerson = turn.catch(() => {});
    return turn;
  }

  async function find(key: string | undefined): Promise<{ readonly at: number } | undefined> {
    const mark = key === undefined ? undefined : await readMark(store, key);
    return mark && mark.until * 1000 > now() ? mark : undefined;
  }

  return {
    async onLogoutToken(token, config) {
      const { sid, sub } = keysOf(token as Claims);
      const at = timeOf(token as Claims, now() / 1000, config);
      if (sid !== undefined) await keep(sid, at, config);
      else if (sub !== undefined) await keepLatest(sub, at, config);
      else throw new TypeError('The logout token names neither a session nor a person.');
    },

    async isLoggedOut(request, config) {
      const claims = claimsOf(request);
      const { sid, sub } = keysOf(claims);
      const [ofSession, ofPerson] = await Promise.all([find(sid), find(sub)]);
      if (ofSession) return true;
      return ofPerson !== undefined && startOf(claims, sessionOf(request, config)) <= ofPerson.at;
    },

    onLogin(request, config) {
      const session = sessionOf(request, config);
      if (session) session[STARTED_AT] = startOf(claimsOf(request), undefined);
    },
  };
}

/** Under which keys logouts of this session, and of this person, are found. Hashed: a store's keys are often logged. */
function keysOf(claims: Claims): { sid: string | undefined; sub: string | undefined } {
  const iss = name(claims, 'iss');
  const key = (kind: 'sid' | 'sub') => {
    const id = name(claims, kind);
    const digest = (text: string) => createHash('sha256').update(text).digest('base64url');
    return id === undefined ? undefined : `slo-hub:${kind}:${digest(JSON.stringify([iss, id]))}`;
  };
  return { sid: key('sid'), sub: key('sub') };
}

/** A `sid` of a wrong type must not turn the logout of one session into that of all. */
function name(claims: Claims, claim: 'iss' | 'sid' | 'sub'): string | undefined {
  const value = claims[claim];
  if (value === undefined || (typeof value === 'string' && value !== '')) return value;
  throw new TypeError(`The claim ${claim} is not a text, or is empty.`);
}

/** When the logout happened. Not later than now, or a sign-in to come would be ended too. */
function timeOf({ iat }: Claims, now: number, { clockTolerance = 60 }: HookConfig): number {
  return typeof iat === 'number' ? Math.min(iat, now + clockTolerance) : Math.ceil(now);
}

/**
 * When a session began, by the issuer's clock, in seconds: as noted at the sign-in; else when the person signed in at
 * the issuer; else when the token was made. 0 where nothing says so, which every logout of the person is later than.
 */
function startOf(claims: Claims, session: Record<string, unknown> | undefined): number {
  const known = [session?.[STARTED_AT], claims['auth_time'], claims['iat']];
  return known.find((time) => typeof time === 'number') ?? 0;
}

function claimsOf({ oidc }: SignedInRequest): Claims {
  return (oidc.idTokenClaims ?? {}) as Claims;
}

/** The app's own session, which express-openid-connect keeps in the request. */
function sessionOf(request: SignedInRequest, { session }: HookConfig): Record<string, unknown> | undefined {
  const holder = request as unknown as Record<string, Record<string, unknown> | undefined>;
  return holder[session?.name ?? 'appSession'];
}

function lifeOf({ session }: HookConfig): number {
  const life = session?.absoluteDuration;
  return (typeof life === 'number' ? life : LONGEST_LIFE) + LATE;
}
