/**
 * How long to wait before try `attempt` (0 is the first), in ms: anything from nothing to a bound that doubles.
 * Evenly spread over the whole of it, so that the tabs of a hub that restarts do not return as one herd.
 */
export function backoffMs(attempt: number, min: number, max: number, random: number): number {
  return random * Math.min(max, min * 2 ** attempt);
}

/** How long a channel must have lived, in ms, before the next loss counts as the first again. */
export const MIN_UPTIME_MS = 5_000;

/** Where the counter begins after a loss that many pages may share: a bound of 16 times the least. */
export const HERD_ATTEMPT = 4;
