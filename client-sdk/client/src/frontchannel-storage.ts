/**
 * Where the session lives that the app's `signOut` ends.
 *
 * - `storage`: in localStorage or IndexedDB, or whatever else the browser keys as it keys those.
 * - `cookie`: in a cookie of the app's own site.
 * - `server`: at the app's server, which `signOut` tells by the `sid`. What the frame can reach does not matter then.
 */
export type SessionPlace = 'storage' | 'cookie' | 'server';

/**
 * Whether a frame has what the app's own tabs have.
 *
 * - `shared`: shown to be the same. What is cleared here is gone there.
 * - `partitioned`: the browser keeps the frame's apart, or keeps it from the frame. Nothing is gone there.
 * - `unknown`: could be either, or was not looked at.
 */
export type FrontchannelStorage = 'shared' | 'partitioned' | 'unknown';

const MARK = 'slo-hub:frontchannel';
const PROBE = 'slo-hub-probe';

/**
 * Call it in the app's own pages, at every load, where the session lives in `storage`. It leaves a mark in localStorage
 * by which the app's frame on the hub's logout page knows that it sees what the app's tabs see. The mark says nothing of
 * anybody. Never throws; does nothing in a frame, whose partition would look like the tabs' own, and on a server.
 */
export function markFrontchannelStorage(page = globalThis as unknown as Window): void {
  try {
    if (page.top === page) page.localStorage.setItem(MARK, '1');
  } catch {
    // No storage, so nothing is kept there that a frame could clear.
  }
}

/**
 * Finds out what a frame directly below its top page can reach. Browsers do not tell, and `hasStorageAccess()`, which
 * sounds like it, speaks of `SameSite=None` cookies alone: in Chromium it is true where localStorage is partitioned.
 * So it is tried out, for the place in question.
 *
 * A top page of the same origin shares everything, in all browsers. Of the same site, it shares cookies in all, and
 * storage in Chromium and Firefox; WebKit keys storage by the top page's origin. Only the mark shows which.
 */
export async function findStorage(page: Window, place: SessionPlace): Promise<FrontchannelStorage> {
  if (hasTopOfSameOrigin(page)) return 'shared';
  if (place === 'cookie') {
    if (isSameSite(page)) return 'shared';
    // Cookies marked SameSite=None may reach here; whether the app's is one, the app alone knows.
    return (await hasThirdPartyCookies(page)) ? 'unknown' : 'partitioned';
  }
  if (seesMark(page)) return 'shared';
  // Without the mark, the tabs may just not have left one yet.
  return isSameSite(page) ? 'unknown' : 'partitioned';
}

function hasTopOfSameOrigin(page: Window): boolean {
  try {
    return page.top!.location.origin === page.location.origin;
  } catch {
    return false;
  }
}

function seesMark(page: Window): boolean {
  try {
    return page.localStorage.getItem(MARK) !== null;
  } catch {
    return false;
  }
}

/**
 * The browser takes a `SameSite=Strict` cookie only where the frame and the top page are of one site, and so answers
 * without a list of public suffixes. No request is made while the cookie is there.
 */
function isSameSite({ document }: Window): boolean {
  const keepFor = (seconds: number) => (document.cookie = `${PROBE}=1; SameSite=Strict; Max-Age=${seconds}`);
  try {
    keepFor(5);
    const isTaken = document.cookie.includes(PROBE);
    keepFor(0);
    return isTaken;
  } catch {
    return false; // A sandboxed frame has no cookies.
  }
}

async function hasThirdPartyCookies({ document }: Window): Promise<boolean> {
  try {
    return await document.hasStorageAccess();
  } catch {
    return false;
  }
}
