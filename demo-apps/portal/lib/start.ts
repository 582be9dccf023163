import { followLogouts } from './logouts';
import { sendLookersAway } from './lookers';

/** What runs beside the pages, until the server is told to stop. */
export function start(): void {
  const watch = followLogouts();
  const stop = () => {
    sendLookersAway();
    void watch?.close();
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}
