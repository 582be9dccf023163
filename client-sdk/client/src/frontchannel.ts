import { SloError } from './errors.js';
import { findStorage, type FrontchannelStorage, type SessionPlace } from './frontchannel-storage.js';

export { SloError, type SloErrorCode } from './errors.js';
export { markFrontchannelStorage, type FrontchannelStorage, type SessionPlace } from './frontchannel-storage.js';

/** The session that has ended, as the hub named it in the frame's address, and what this frame can reach of it. */
export interface FrontchannelLogout {
  readonly iss?: string;
  readonly sid?: string;
  readonly storage: FrontchannelStorage;
}

export interface FrontchannelOptions {
  /** The hub's public address. */
  readonly hub: string | URL;
  /**
   * Ends the app's session if it is the one named: a person may have signed in anew since. The hub is told once this
   * returns, or its promise is fulfilled; not when it throws or takes longer than 2 s.
   */
  signOut(logout: FrontchannelLogout): void | Promise<void>;
  /** Where that session lives. Default `storage`. */
  readonly sessionIn?: SessionPlace;
  /** Used instead of the page's own. */
  readonly window?: Window;
}

export interface FrontchannelResult {
  /** Whether the hub has been told that the app's session is over. */
  readonly acknowledged: boolean;
  /** `unknown` when the hub did not ask for anything. */
  readonly storage: FrontchannelStorage;
}

/** What comes from the hub's page; of what else it may say, nothing is heard. */
interface HubAnswer {
  readonly type?: unknown;
  readonly nonce?: unknown;
}

/** How long the hub's page may take to answer, in ms. */
const ANSWER_MS = 5_000;
/** Less than the 3 s for which the hub's page waits for an app. */
const SIGN_OUT_MS = 2_000;

/**
 * The app's side of a front-channel logout: call it on the page at the app's `frontchannel_logout_uri`, which the
 * hub's logout page loads in a hidden frame with `iss` and `sid` in its address.
 *
 * Nothing ends before the hub's own page, and no other, has asked for it from the frame's parent; so a page that frames
 * this address, or a link to it, signs nobody out. The app is acknowledged only if its session is shown to be over:
 * `signOut` succeeded, and either at the server, or on what the app's own tabs see. Otherwise the hub shows it as not
 * confirmed.
 *
 * Settles within 7 s. Not being framed, an answer that never comes and a `signOut` that fails are not errors of this
 * call: it is fulfilled with `acknowledged: false`. The last is reported as the page's own error (`handler_failed`).
 *
 * Rejects with a SloError `bad_option` when an option makes no sense.
 */
export async function endFrontchannelSession(options: FrontchannelOptions): Promise<FrontchannelResult> {
  const { signOut, sessionIn = 'storage', window: page = globalThis as unknown as Window } = options;
  const hub = readHub(options);
  const nonce = await askHub(page, hub);
  if (nonce === undefined) return { acknowledged: false, storage: 'unknown' };

  const answer = (message: object) => page.parent.postMessage({ ...message, nonce }, hub);
  let storage = 'unknown' as FrontchannelStorage;
  const end = async () => {
    storage = await findStorage(page, sessionIn);
    await signOut({ ...readSession(page.location.search), storage });
  };
  const late = new Promise<never>((_, reject) => setTimeout(reject, SIGN_OUT_MS, new Error('took too long')));
  try {
    await Promise.race([end(), late]);
  } catch (cause) {
    answer({ type: 'slo-frontchannel-failed', code: 'sign_out_failed' });
    page.reportError(new SloError('handler_failed', 'sign-out threw', cause));
    return { acknowledged: false, storage };
  }
  const acknowledged = sessionIn === 'server' || storage === 'shared';
  answer(acknowledged ? { type: 'slo-frontchannel-done' } : { type: 'slo-frontchannel-failed', code: 'partitioned' });
  return { acknowledged, storage };
}

/** The hub's exact origin. */
function readHub({ hub, signOut, sessionIn = 'storage' }: FrontchannelOptions): string {
  const refuse = (message: string) => new SloError('bad_option', message);
  if (typeof signOut !== 'function') throw refuse('signOut is no function');
  if (!/^(storage|cookie|server)$/.test(sessionIn)) throw refuse('sessionIn is unknown');
  try {
    const { origin } = new URL(hub);
    if (origin !== 'null') return origin;
  } catch {
    // Nor is it one.
  }
  throw refuse('hub is no absolute URL');
}

/**
 * Offers the hub's page to sign out, and gives the nonce of its first answer, which means something to that page alone.
 * Undefined when there is no answer, or no such page: the hub's own is never framed, so it is this frame's parent and
 * the top page at once.
 */
async function askHub({ parent, top, self }: Window, hub: string): Promise<unknown> {
  if (!parent || parent === self || parent !== top) return undefined;
  return new Promise((resolve) => {
    self.addEventListener('message', ({ source, origin, data }: MessageEvent<HubAnswer | null>) => {
      if (source === parent && origin === hub && data?.type === 'slo-frontchannel-logout') resolve(data.nonce);
    });
    setTimeout(resolve, ANSWER_MS);
    parent.postMessage({ type: 'slo-frontchannel-ready' }, hub);
  });
}

function readSession(search: string): { iss?: string; sid?: string } {
  const query = new URLSearchParams(search);
  const session: { iss?: string; sid?: string } = {};
  for (const name of ['iss', 'sid'] as const) {
    const [value, another] = query.getAll(name);
    // Which of two is meant, nobody can say; to end the wrong session would be worse than to end none.
    if (another !== undefined) throw new Error(`two values of ${name}`);
    if (value) session[name] = value;
  }
  return session;
}
