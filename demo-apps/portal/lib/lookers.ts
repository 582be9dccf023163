import type { SessionStore } from '@slo-hub/node/stores';

/** A page that wants to know at once when its session is over. */
export interface Looker {
  /** Sessions have ended; perhaps its own. */
  ended(): void;
  /** The server is about to stop. */
  stopping(): void;
}

/** Next loads this file once for each bundle; what ends sessions and what looks on are not in the same one. */
const KEY = Symbol.for('portal.lookers');
const shared = globalThis as { [KEY]?: Set<Looker> };
const lookers = (shared[KEY] ??= new Set());

/** Returns what makes it look away. */
export function lookOn(looker: Looker): () => void {
  lookers.add(looker);
  return () => void lookers.delete(looker);
}

/** A server stops only when nobody is connected any more. */
export function sendLookersAway(): void {
  for (const looker of lookers) looker.stopping();
}

/** The same store, whose logouts the lookers are told of. */
export function withLookers<Session>(store: SessionStore<Session>): SessionStore<Session> {
  return {
    ...store,
    async deleteByLogoutToken(logout) {
      await store.deleteByLogoutToken(logout);
      for (const looker of lookers) looker.ended();
    },
  };
}
