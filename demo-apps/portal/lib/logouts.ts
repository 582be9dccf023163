import { fileCursor, watchLogouts, type LogoutWatch } from '@slo-hub/node';
import { database } from './database';
import { settings } from './settings';

/**
 * Ends the sessions that the hub says are over, also those of logouts that the issuer never heard of. The place in the
 * hub's log is kept beside the database, so that what happened while this process was away is caught up with.
 *
 * @returns undefined where Portal has no secret at the hub, and follows nothing
 */
export function followLogouts(): LogoutWatch | undefined {
  const { hub, clientId, hubSecret, database: file } = settings();
  if (hubSecret === undefined) return undefined;
  const cursor = fileCursor(`${file}.logouts`);
  const onError = ({ code, isFinal }: { code: string; isFinal: boolean }) =>
    console.error(`portal: ${isFinal ? 'follows the hub no more' : 'has trouble with the hub'}: ${code}`);
  return watchLogouts({ hub, clientId, secret: hubSecret, cursor, onError }, database().sessions);
}
