import { followLogouts } from './logouts';
import { sendLookersAway } from './lookers';

/** How long requests that are under way have, once the server is told to stop. */
const GRACE_MS = 3_000;

/** What runs beside the pages, until the server is told to stop. */
export function start(): void {
  const watch = followLogouts();
  const stop = () => {
    sendLookersAway();
    void watch?.close();
    // Next waits for every connection, and browsers hold some in reserve that they never say a word on.
    setTimeout(() => process.exit(), GRACE_MS).unref();
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}
