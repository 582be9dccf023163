/** How an app was told of a logout, and what came of it: a row of the hub's receipt. */
export interface Delivery {
  readonly name: string;
  readonly via: string;
  readonly status: string;
  /** RFC 3339. */
  readonly updatedAt: string;
}

/** By what means a receipt is kept and asked for: the page's own, or those of a test. */
export interface Means {
  readonly hub: string;
  readonly storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;
  readonly fetch: typeof fetch;
  /** In ms since 1970. */
  readonly now: () => number;
  readonly wait: (ms: number) => Promise<void>;
}

/** Kept in this tab alone, on its way through the hub and the provider. */
interface Claim {
  readonly id: string;
  /** The resume ticket of the session that has ended: good for this receipt and for little else. */
  readonly ticket: string;
  /** In ms since 1970. */
  readonly until: number;
}

const KEY = 'signed-out-receipt';
const KEPT_MS = 10 * 60 * 1000;
const EACH_MS = 1000;
const LONGEST_MS = 30_000;
const ANSWER_MS = 5000;
/** What may still change by itself in a moment. */
const UNDER_WAY = new Set(['pending', 'delivered']);
/** Nobody will answer otherwise later. */
const REFUSALS = new Set([401, 403, 404]);

/**
 * A `fetch` for the SDK, which notes the sign-out that goes through it. Only where a resume ticket was presented: an ID
 * token, which says who the person is, is not kept once they have signed out.
 */
export function notingSignOuts(means: Means): typeof fetch {
  const reports = address(means, '');
  return async (input, init) => {
    const response = await means.fetch(input, init);
    if (input === reports && init?.method === 'POST' && response.ok) await note(means, init, response.clone());
    return response;
  };
}

async function note({ storage, now }: Means, init: RequestInit, answer: Response): Promise<void> {
  const ticket = new Headers(init.headers).get('authorization')?.replace(/^Bearer /, '');
  if (!ticket || isJwt(ticket)) return;
  try {
    const { id } = (await answer.json()) as { id: string };
    storage.setItem(KEY, JSON.stringify({ id, ticket, until: now() + KEPT_MS } satisfies Claim));
  } catch {
    // No storage, or no answer to read: the person has signed out all the same.
  }
}

/** Whether this tab has a receipt to show. */
export function hasReceipt(means: Means): boolean {
  return readClaim(means) !== undefined;
}

export function forgetReceipt({ storage }: Pick<Means, 'storage'>): void {
  storage.removeItem(KEY);
}

/**
 * Asks for the receipt, at most once a second, until every app has answered or 30 s have passed; then forgets what it
 * asked with. Once more after the last answer: of an app that only the provider knows, the hub learns a moment later.
 *
 * @param show told each time, and whether it was the last
 * @param hidden aborted when nobody looks any more: nothing more is asked or told, and nothing is forgotten
 */
export async function followReceipt(
  means: Means,
  show: (rows: readonly Delivery[], isLast: boolean) => void,
  hidden: AbortSignal,
): Promise<void> {
  const claim = readClaim(means);
  if (claim === undefined) return;
  const end = means.now() + LONGEST_MS;
  let rows: readonly Delivery[] = [];
  let settled = 0;
  for (;;) {
    const answer = await ask(means, claim);
    if (hidden.aborted) return;
    if (typeof answer === 'object') rows = answer;
    settled = typeof answer === 'object' && !rows.some(({ status }) => UNDER_WAY.has(status)) ? settled + 1 : 0;
    const isLast = settled > 1 || answer === 'refused' || means.now() + EACH_MS > end;
    if (isLast) forgetReceipt(means);
    show(rows, isLast);
    if (isLast) return;
    await means.wait(EACH_MS);
    if (hidden.aborted) return;
  }
}

async function ask(means: Means, { id, ticket }: Claim): Promise<readonly Delivery[] | 'refused' | 'no answer'> {
  try {
    const response = await means.fetch(address(means, `/${encodeURIComponent(id)}`), {
      credentials: 'omit',
      headers: { Authorization: `Bearer ${ticket}` },
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    if (REFUSALS.has(response.status)) return 'refused';
    if (!response.ok) return 'no answer';
    const { deliveries } = (await response.json()) as { deliveries: Array<Record<string, string>> };
    return deliveries.map(({ name, via, status, updated_at: updatedAt }) => ({
      ...{ name: name ?? '', via: via ?? '', status: status ?? '', updatedAt: updatedAt ?? '' },
    }));
  } catch {
    return 'no answer';
  }
}

function readClaim({ storage, now }: Means): Claim | undefined {
  try {
    const claim = JSON.parse(storage.getItem(KEY) ?? 'null') as Claim | null;
    if (claim !== null && claim.until > now()) return claim;
  } catch {
    // Not ours, then.
  }
  storage.removeItem(KEY);
  return undefined;
}

function address({ hub }: Means, path: string): string {
  return `${new URL(hub).href.replace(/\/+$/, '')}/api/v1/logouts${path}`;
}

/** Every JWT begins with an encoded `{"`; tickets do not. */
function isJwt(credential: string): boolean {
  return credential.startsWith('ey');
}
