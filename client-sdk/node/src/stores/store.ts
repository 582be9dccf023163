import { rowOf, type Lifetime, type SessionRow } from './row.js';
import type { EndedPerson, EndedSession, SessionTable } from './table.js';
import type { LogoutClaims, SessionStore, SessionStoreOptions } from './types.js';

const DAY = 24 * 60 * 60;
const QUARTER_HOUR = 15 * 60;

/** The rules that every store keeps, whatever its table is. */
export function sessionStore<Session>(table: SessionTable, options: SessionStoreOptions = {}): SessionStore<Session> {
  const { issuer, cleanUpEvery = QUARTER_HOUR, now: clock = Date.now } = options;
  const lifetime = lifetimeOf(options);
  const now = () => Math.floor(clock() / 1000);
  let cleanedAt = now();

  function row(id: string, session: Session, at: number): SessionRow | undefined {
    const made = rowOf(id, session, at, lifetime, issuer);
    return made.expiresAt > at ? made : undefined;
  }

  /** What cannot be cleaned up now is cleaned up later: no sign-in fails for it. */
  async function cleanUpSometimes(at: number): Promise<void> {
    if (at - cleanedAt < cleanUpEvery) return;
    cleanedAt = at;
    await table.removeExpired?.(at).catch(() => {});
  }

  return {
    async get(id) {
      const data = await table.read(id, now());
      return data === undefined ? null : (JSON.parse(data) as Session);
    },
    async set(id, session) {
      const at = now();
      const made = row(id, session, at);
      await (made ? table.write(made, at) : table.remove(id));
      await cleanUpSometimes(at);
    },
    async update(id, session) {
      const at = now();
      const made = row(id, session, at);
      if (made) return table.replace(made, at);
      await table.remove(id);
      return false;
    },
    async delete(id) {
      await table.remove(id);
    },
    async deleteByLogoutToken(logout) {
      await table.removeEnded(endedBy(logout), now());
    },
    async cleanUp() {
      await table.removeExpired?.(now());
    },
  };
}

function lifetimeOf(options: SessionStoreOptions): Lifetime {
  const { absoluteDuration = 3 * DAY, inactivityDuration = DAY, rolling = true } = options;
  for (const seconds of [absoluteDuration, inactivityDuration]) {
    if (!Number.isSafeInteger(seconds) || seconds <= 0) {
      throw new TypeError('absoluteDuration and inactivityDuration are whole seconds, at least 1');
    }
  }
  return { absoluteDuration, inactivityDuration, rolling };
}

/** A `sid` narrows the logout to one session. Without one, it is about the person. */
function endedBy(logout: LogoutClaims): EndedSession | EndedPerson {
  const [iss, sid, sub] = [claim(logout.iss), claim(logout.sid), claim(logout.sub)];
  const at = iss === undefined ? {} : { iss };
  if (sid !== undefined) return { ...at, sid };
  if (sub === undefined) throw new TypeError('a logout names a sid, a sub, or both');
  const { iat } = logout;
  if (iat === undefined) return { ...at, sub };
  if (typeof iat !== 'number' || !Number.isFinite(iat)) throw new TypeError('iat is in seconds since 1970');
  return { ...at, sub, beganBy: Math.ceil(iat) };
}

function claim(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'string' && value !== '') return value;
  throw new TypeError('iss, sid and sub are strings, and not empty');
}
