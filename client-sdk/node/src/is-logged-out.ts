import { createHash } from 'node:crypto';
import { hubAddress } from './hub-address.js';
import { HubError } from './hub-error.js';

export interface IsLoggedOutOptions<Request = OpenIdRequest> {
  /** The hub's address. https, except on this machine. */
  readonly hub: string | URL;
  /** The ID token of the request's session. `req.oidc.idToken`, which express-openid-connect has, unless said. */
  readonly getToken?: (req: Request) => string | null | undefined | Promise<string | null | undefined>;
  /** For how long an answer is good, in seconds: 10 unless said. So long may a session seem alive that is not. */
  readonly maxAge?: number;
  /** For how long the last answer is good where the hub is away, in seconds: 5 minutes unless said. */
  readonly maxStale?: number;
  /**
   * What a session is taken for that the hub, being away, has said nothing about for too long: `signed-in` unless said,
   * since no trouble of the hub's signs anyone out. `throw` rejects with a {@link HubError}, for a 503 of the app's own.
   */
  readonly whenAway?: 'signed-in' | 'signed-out' | 'throw';
  /** How long the hub may take to answer, in ms: 2000 unless said. */
  readonly timeout?: number;
  /** Lets the token cross a network in the clear, where that network is your own. */
  readonly allowHttp?: boolean;
  /** The time in ms since 1970, for tests. */
  readonly now?: () => number;
}

export interface OpenIdRequest {
  readonly oidc?: { readonly idToken?: string | undefined };
}

interface Answer {
  readonly isOver: boolean;
  /** In ms since 1970. */
  readonly at: number;
}

/** How many sessions are remembered. */
const REMEMBERED = 10_000;
/** For how long a hub that was away is not asked, in ms: or every request would wait for it. */
const REST_MS = 2_000;

/** The one asked last is the last. Tokens are not kept, only their digests. */
const answers = new Map<string, Answer>();
const asked = new Map<string, Promise<Answer>>();
const awayUntil = new Map<string, number>();

/**
 * Whether the session that a request belongs to has been signed out, elsewhere or by the issuer: for apps that keep
 * their sessions in cookies, and so have nothing to end.
 *
 * ```js
 * app.use(async (req, res, next) => {
 *   if (await isLoggedOut(req, { hub })) res.oidc.logout(); else next();
 * });
 * ```
 *
 * A request without a token belongs to no session: false.
 *
 * @throws {HubError} With the hub's own code where it refuses the token for another reason than its age; `hub_away` where
 *   it is, and `whenAway` is `throw`.
 */
export async function isLoggedOut<Request = OpenIdRequest>(req: Request, options: IsLoggedOutOptions<Request>): Promise<boolean> {
  const { getToken = tokenOf, maxAge = 10, maxStale = 300, whenAway = 'signed-in', now = Date.now } = options;
  const url = hubAddress(options.hub, '/api/v1/session', options.allowHttp);
  const token = await getToken(req);
  if (!token) return false;
  const key = createHash('sha256').update(`${url.href} ${token}`).digest('base64url');
  const known = recall(key);
  if (known && (known.isOver || now() - known.at < maxAge * 1000)) return known.isOver;
  try {
    return (await askOnce(key, url, token, options)).isOver;
  } catch (error) {
    if (!(error instanceof HubError) || error.code !== 'hub_away') throw error;
    if (known && now() - known.at < maxStale * 1000) return known.isOver;
    if (whenAway === 'throw') throw error;
    return whenAway === 'signed-out';
  }
}

function tokenOf(req: unknown): string | undefined {
  return (req as OpenIdRequest).oidc?.idToken;
}

/** What was asked, and moves it to the end. */
function recall(key: string): Answer | undefined {
  const answer = answers.get(key);
  if (answer) remember(key, answer);
  return answer;
}

function remember(key: string, answer: Answer): void {
  answers.delete(key);
  answers.set(key, answer);
  if (answers.size <= REMEMBERED) return;
  const [eldest] = answers.keys();
  answers.delete(eldest!);
}

/** Many requests of one session at a time ask once. */
function askOnce<Request>(key: string, url: URL, token: string, options: IsLoggedOutOptions<Request>): Promise<Answer> {
  const asking = asked.get(key) ?? ask(url, token, options).finally(() => asked.delete(key));
  asked.set(key, asking);
  return asking.then((answer) => (remember(key, answer), answer));
}

async function ask<Request>(url: URL, token: string, { timeout = 2_000, now = Date.now }: IsLoggedOutOptions<Request>): Promise<Answer> {
  const at = now();
  if (at < (awayUntil.get(url.href) ?? 0)) throw new HubError('hub_away', 'the hub was away a moment ago');
  try {
    const headers = { authorization: `Bearer ${token}`, accept: 'application/json' };
    const response = await fetch(url, { headers, redirect: 'error', signal: AbortSignal.timeout(timeout) });
    return { isOver: isOver(response.status, await response.json()), at };
  } catch (cause) {
    if (cause instanceof HubError && cause.code !== 'hub_away') throw cause;
    awayUntil.set(url.href, now() + REST_MS);
    throw new HubError('hub_away', 'the hub did not answer', cause);
  }
}

/** A token that has expired, and is not logged out, belongs to a session that lives. */
function isOver(status: number, body: unknown): boolean {
  const { active, code } = (body ?? {}) as { active?: unknown; code?: unknown };
  if (status === 200 && typeof active === 'boolean') return !active;
  if (status === 401 && code === 'token_expired') return false;
  if ([400, 401, 403].includes(status) && typeof code === 'string') throw new HubError(code, `the hub refuses the token: ${code}`);
  throw new HubError('hub_away', `the hub answers ${status}`);
}
