import type { SessionRow } from './row.js';

/**
 * What a database has to do. Each method is atomic for each session, whoever else is at work on it. Times are whole
 * seconds since 1970; a session has expired when `now` is its `expiresAt` or later.
 */
export interface SessionTable {
  /** The data of a session that has not expired. */
  read(id: string, now: number): Promise<string | undefined>;
  /** Keeps the row, in place of one with its id. */
  write(row: SessionRow, now: number): Promise<void>;
  /**
   * Keeps `data`, `expiresAt` and those of `iss`, `sid` and `sub` that the row has, where the session is there and
   * has not expired. False, and nothing is kept, where it is not. `beganAt` stays: a refreshed token makes no session new.
   */
  replace(row: SessionRow, now: number): Promise<boolean>;
  remove(id: string): Promise<void>;
  /** Removes every session that the logout ends. */
  removeEnded(logout: EndedSession | EndedPerson, now: number): Promise<void>;
  /** Removes what has expired. Absent where the database does that itself. */
  removeExpired?(now: number): Promise<void>;
}

/** Whose sessions end. A session whose own issuer is not known ends too: rather one too many than one too few. */
interface Ended {
  /** Any issuer's, where it is absent. */
  readonly iss?: string;
}

export interface EndedSession extends Ended {
  readonly sid: string;
}

export interface EndedPerson extends Ended {
  readonly sub: string;
  /** Sessions that began later go on. Absent: none does. */
  readonly beganBy?: number;
}
