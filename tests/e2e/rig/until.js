/** Long enough for the second or third try of a tab that lost the hub, which waits at random. */
export const WITHIN_MS = 45_000;
const EVERY_MS = 25;

/** Waits until the check is truthy, and returns what it said. What it throws counts as "not yet". */
export async function until(what, check) {
  const deadline = Date.now() + WITHIN_MS;
  let last;
  while (Date.now() < deadline) {
    try {
      const value = await check();
      if (value) return value;
      last = undefined;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
  throw new Error(`waited in vain until ${what}`, { cause: last });
}

/**
 * Waits until a sign-in is later than the logout: a logout covers what began or was issued up
 * to the end of its second.
 */
export function untilAfter({ occurred_at: at }) {
  const lastSecond = Math.ceil(Date.parse(at) / 1000);
  return until('the next second has begun', () => Math.floor(Date.now() / 1000) > lastSecond);
}
