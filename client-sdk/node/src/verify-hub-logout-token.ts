import { createRemoteJWKSet, errors, jwtVerify, type JWTPayload } from 'jose';
import { hubAddress } from './hub-address.js';
import { HubError } from './hub-error.js';
import type { LogoutClaims } from './stores/types.js';
import { isText, recordedAt } from './watch/wire.js';

export interface VerifyOptions {
  /** The hub's public URL, as it stands in the hub's configuration. */
  readonly hub: string | URL;
  /** The app that the token is for. */
  readonly clientId: string;
  /** The issuer of the app's sessions. It becomes the `iss` of what is given back: the token's own is the hub. */
  readonly issuer?: string;
  /**
   * Keeps a token's name until that time, in seconds since 1970, and says whether it was new. Without one, a token that
   * is sent twice is taken twice, which ends nothing more.
   */
  readonly isNew?: (jti: string, until: number) => boolean | Promise<boolean>;
  /** How far the hub's clock and this machine's may be apart, in seconds: 60 unless said. */
  readonly clockTolerance?: number;
  /** Lets the keys cross a network in the clear, where that network is your own. */
  readonly allowHttp?: boolean;
  /** The time in ms since 1970, for tests. */
  readonly now?: () => number;
}

/** What a hub's logout token names: a `sid` and perhaps its `sub`, or a `sub` alone. A store takes it as it is. */
export interface VerifiedLogout extends LogoutClaims {
  /** The hub's name for the logout: the same however often it is told. */
  readonly id: string;
  /** The token's own name. */
  readonly jti: string;
  /** When the logout was recorded, in seconds since 1970, rounded up. The token may be far younger: the hub retries. */
  readonly iat: number;
}

const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout';
const ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;

/** Keys are fetched once and kept, by where they are. */
const keySets = new Map<string, ReturnType<typeof createRemoteJWKSet>>();

/**
 * Verifies a logout token of the hub's own, as it posts it where `backchannel_logout_token` is `"hub"`.
 *
 * ```js
 * app.post('/slo', express.urlencoded(), async (req, res) => {
 *   await sessionStore.deleteByLogoutToken(await verifyHubLogoutToken(req.body.logout_token, { hub, clientId, issuer }));
 *   res.sendStatus(204);
 * });
 * ```
 *
 * @throws {HubError} `invalid_token` for a token that breaks a rule: answer 400, and the hub does not send it again.
 *   `jti_reused` where `isNew` says so. `hub_away` where the keys cannot be had: answer 503, and it does.
 */
export async function verifyHubLogoutToken(token: unknown, options: VerifyOptions): Promise<VerifiedLogout> {
  if (!isText(token)) throw broken('it is no text');
  const claims = await verified(token, options);
  const logout = logoutOf(claims, options.issuer);
  const until = claims.exp! + (options.clockTolerance ?? 60);
  if (options.isNew && !(await options.isNew(logout.jti, until))) throw new HubError('jti_reused', 'the token came before');
  return logout;
}

async function verified(token: string, { hub, clientId, clockTolerance = 60, allowHttp, now = Date.now }: VerifyOptions): Promise<JWTPayload> {
  const keys = keysOf(hubAddress(hub, '/.well-known/jwks.json', allowHttp));
  const askedJustNow = keys.coolingDown;
  try {
    const { payload } = await jwtVerify(token, keys, {
      algorithms: ['ES256'],
      typ: 'logout+jwt',
      issuer: String(hub).replace(/\/$/, ''),
      audience: clientId,
      requiredClaims: ['iat', 'exp', 'jti', 'txn', 'events'],
      maxTokenAge: '10m',
      clockTolerance,
      currentDate: new Date(now()),
    });
    return payload;
  } catch (error) {
    throw isTokensFault(error, askedJustNow) ? broken(error.code) : new HubError('hub_away', 'the hub’s keys cannot be had', error);
  }
}

/** A key that the hub does not have is the token's fault once the hub was asked for it; not while it is not asked again. */
function isTokensFault(error: unknown, askedJustNow: boolean): error is errors.JOSEError {
  if (error instanceof errors.JWKSNoMatchingKey) return !askedJustNow;
  if (error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid) return false;
  return error instanceof errors.JOSEError && error.code !== 'ERR_JOSE_GENERIC';
}

function keysOf(url: URL): ReturnType<typeof createRemoteJWKSet> {
  const keys = keySets.get(url.href) ?? createRemoteJWKSet(url);
  keySets.set(url.href, keys);
  return keys;
}

function logoutOf({ sid, sub, jti, txn, iat, events, ...rest }: JWTPayload, issuer: string | undefined): VerifiedLogout {
  const event = (events as Record<string, unknown> | null)?.[LOGOUT_EVENT];
  if (!(event instanceof Object) || Array.isArray(event)) throw broken('events names no logout');
  if ('nonce' in rest) throw broken('it has a nonce');
  if (!isText(jti)) throw broken('jti is no name');
  if (typeof txn !== 'string' || !ULID.test(txn)) throw broken('txn names no logout');
  const told = { id: txn, jti, iat: Math.min(iat!, Math.ceil(recordedAt(txn) / 1000)), ...(issuer !== undefined && { iss: issuer }) };
  if ((sid !== undefined && !isText(sid)) || (sub !== undefined && !isText(sub))) throw broken('sid and sub are texts');
  if (isText(sid)) return { ...told, sid, ...(sub !== undefined && { sub }) };
  if (sub !== undefined) return { ...told, sub };
  throw broken('it names nobody');
}

/** Says which rule, and nothing of what the token says. */
function broken(rule: string): HubError {
  return new HubError('invalid_token', `the logout token breaks a rule: ${rule}`);
}
