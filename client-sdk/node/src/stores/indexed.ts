import type { Identity, SessionRow } from './row.js';
import type { EndedPerson, EndedSession, SessionTable } from './table.js';

/** By what a logout finds its sessions. */
export type ListName = 'sid' | 'sub';

/** What is known of a session that is kept. */
export interface KeptRow extends Identity {
  readonly expiresAt: number;
  /** How long its places on the lists are kept at least. */
  readonly endsAt: number;
  readonly data: string;
}

/** A database of keys and values, where nothing is atomic but the work on one key. */
export interface Shelf {
  read(id: string): Promise<KeptRow | undefined>;
  write(row: SessionRow, now: number): Promise<void>;
  /** As {@link SessionTable.replace}, and keeps `endsAt` too. */
  replace(row: SessionRow, now: number): Promise<boolean>;
  remove(id: string): Promise<void>;
  /** Removes the session where the logout ends it. */
  removeIfEnded(id: string, logout: EndedSession | EndedPerson): Promise<void>;
  /** Puts the session on a list, until that time at least. */
  enlist(list: ListName, value: string, id: string, until: number, now: number): Promise<void>;
  /** Who is on the list, as of every `enlist` that is done. */
  listed(list: ListName, value: string): Promise<readonly string[]>;
}

/** How many sessions of one person are ended at the same time. */
const AT_ONCE = 20;

/**
 * Sessions with lists by `sid` and by `sub` beside them.
 *
 * A session is put on its lists before it is there, and never taken off while it could be: a list may name sessions
 * that are gone, but there is none that a logout does not find. What is on a list is forgotten once it has ended.
 */
export function indexedTable(shelf: Shelf): SessionTable {
  async function enlist(row: SessionRow, now: number): Promise<void> {
    const { id, sid, sub, endsAt } = row;
    await Promise.all([
      sid !== undefined && shelf.enlist('sid', sid, id, endsAt, now),
      sub !== undefined && shelf.enlist('sub', sub, id, endsAt, now),
    ]);
  }

  return {
    async read(id, now) {
      const kept = await shelf.read(id);
      return kept && kept.expiresAt > now ? kept.data : undefined;
    },
    async write(row, now) {
      await enlist(row, now);
      await shelf.write(row, now);
    },
    async replace(row, now) {
      const kept = await shelf.read(row.id);
      if (!kept) return false;
      if (isElsewhere(row, kept)) await enlist({ ...kept, ...row }, now);
      return shelf.replace(row, now);
    },
    remove: (id) => shelf.remove(id),
    async removeEnded(logout) {
      const ids = await ('sid' in logout ? shelf.listed('sid', logout.sid) : shelf.listed('sub', logout.sub));
      for (let first = 0; first < ids.length; first += AT_ONCE) {
        await Promise.all(ids.slice(first, first + AT_ONCE).map((id) => shelf.removeIfEnded(id, logout)));
      }
    },
  };
}

/** Whether the row belongs on other lists than the kept one, or for longer. */
function isElsewhere({ sid, sub, endsAt }: SessionRow, kept: KeptRow): boolean {
  return (sid ?? kept.sid) !== kept.sid || (sub ?? kept.sub) !== kept.sub || endsAt > kept.endsAt;
}
