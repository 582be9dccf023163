import { describe, expect, it } from 'vitest';
import { DAY, HOUR, NOON, sessionOf } from './harness.js';
import type { Bench } from './suite.js';

/** What is kept, for how long, and what an update may do. */
export function sessionRules(bench: Bench): void {
  describe('a session', () => {
    it('is there once it is kept, as it was', async () => {
      const session = sessionOf({ note: 'it’s "quoted" \\ and \u0000, 🦉', list: [1, null, { deep: [true] }] });
      await bench.store.set('one', session);
      expect(await bench.store.get('one')).toEqual(session);
      expect(await bench.store.get('two')).toBeNull();
    });

    it('of 200 kB is kept', async () => {
      const session = sessionOf({ note: 'ü'.repeat(100_000) });
      await bench.store.set('one', session);
      expect(await bench.store.get('one')).toEqual(session);
    });

    it('may have members that are undefined: they are not kept', async () => {
      const session = sessionOf({ note: undefined, deep: { gone: undefined, here: 1 } });
      await bench.store.set('one', { ...session, tokenSet: { ...session.tokenSet, refreshToken: undefined } as never });
      expect(await bench.store.get('one')).toStrictEqual(JSON.parse(JSON.stringify(session)));
      expect(await bench.store.update('one', { ...session, internal: { ...session.internal, sid: undefined } as never })).toBe(true);
      expect((await bench.store.get('one'))?.internal).toStrictEqual({ createdAt: NOON });
    });

    it('takes the place of one with its id', async () => {
      await bench.store.set('one', sessionOf({ sid: 'old', note: 'old' }));
      await bench.store.set('one', sessionOf({ sid: 'new' }));
      expect(await bench.store.get('one')).toEqual(sessionOf({ sid: 'new' }));
      await bench.store.deleteByLogoutToken({ sid: 'old' });
      expect(await bench.store.get('one')).not.toBeNull();
    });

    it('is gone once it is deleted, and nothing else is', async () => {
      await bench.store.set('one', sessionOf({}));
      await bench.store.set('two', sessionOf({}));
      await bench.store.delete('one');
      await bench.store.delete('three');
      expect(await bench.store.get('one')).toBeNull();
      expect(await bench.store.get('two')).not.toBeNull();
    });

    it('is seen by every process', async () => {
      const [other, third] = await Promise.all([bench.open(), bench.open()]);
      await other.set('one', sessionOf({}));
      expect(await third.get('one')).not.toBeNull();
      await third.deleteByLogoutToken({ sid: 's-1' });
      expect(await other.get('one')).toBeNull();
    });

    it('that does not say when it began is refused: it could never expire', async () => {
      await expect(bench.store.set('one', { ...sessionOf({}), internal: {} as never })).rejects.toThrow(TypeError);
      expect(await bench.harness.count()).toBe(0);
    });
  });

  expiryRules(bench);

  describe('an update', () => {
    it('keeps what the session has become', async () => {
      await bench.store.set('one', sessionOf({}));
      expect(await bench.store.update('one', sessionOf({ note: 'later' }))).toBe(true);
      expect(await bench.store.get('one')).toEqual(sessionOf({ note: 'later' }));
    });

    it('brings no session back: neither one that was deleted, nor one that a logout ended, nor one that never was', async () => {
      await bench.store.set('one', sessionOf({ sid: 'one' }));
      await bench.store.set('two', sessionOf({ sid: 'two' }));
      await bench.store.delete('one');
      await bench.store.deleteByLogoutToken({ sid: 'two' });
      for (const id of ['one', 'two', 'three']) {
        expect(await bench.store.update(id, sessionOf({ sid: id }))).toBe(false);
        expect(await bench.store.get(id)).toBeNull();
      }
      expect(await bench.harness.count()).toBe(0);
    });

    it('that brings another sid or sub is ended by those', async () => {
      for (const id of ['one', 'two']) await bench.store.set(id, sessionOf({ sid: 'old', sub: 'old' }));
      await bench.store.update('one', sessionOf({ sid: 'new', sub: 'old' }));
      await bench.store.update('two', sessionOf({ sid: 'old', sub: 'new' }));
      await bench.store.deleteByLogoutToken({ sid: 'new' });
      await bench.store.deleteByLogoutToken({ sub: 'new' });
      expect(await bench.harness.count()).toBe(0);
    });

    it('that lacks iss, sid and sub leaves the session’s own', async () => {
      for (const id of ['one', 'two', 'three']) await bench.store.set(id, sessionOf({}));
      const bare = { ...sessionOf({ iss: undefined }), user: {} as never, internal: { createdAt: NOON } as never };
      for (const id of ['one', 'two', 'three']) expect(await bench.store.update(id, bare)).toBe(true);
      await bench.store.deleteByLogoutToken({ iss: 'https://other.example/', sid: 's-1' });
      expect(await bench.harness.count()).toBe(3);
      await bench.store.deleteByLogoutToken({ sid: 's-1' });
      expect(await bench.harness.count()).toBe(0);
    });
  });
}

function expiryRules(bench: Bench): void {
  const isThere = async (id = 'one') => (await bench.store.get(id)) !== null;

  describe('a session that is over its time', () => {
    it('has not been used for inactivityDuration', async () => {
      await bench.store.set('one', sessionOf({}));
      bench.time = NOON + DAY - 1;
      expect(await isThere()).toBe(true);
      bench.time = NOON + DAY;
      expect(await isThere()).toBe(false);
    });

    it('is not there to be updated', async () => {
      await bench.store.set('one', sessionOf({}));
      bench.time = NOON + DAY;
      expect(await bench.store.update('one', sessionOf({}))).toBe(false);
      expect(await isThere()).toBe(false);
    });

    it('was used all the time, but began absoluteDuration ago', async () => {
      await bench.store.set('one', sessionOf({}));
      while ((bench.time += 20 * HOUR) < NOON + 3 * DAY) expect(await bench.store.update('one', sessionOf({}))).toBe(true);
      bench.time = NOON + 3 * DAY - 1;
      expect(await bench.store.update('one', sessionOf({}))).toBe(true);
      bench.time = NOON + 3 * DAY;
      expect(await isThere()).toBe(false);
      expect(await bench.store.update('one', sessionOf({}))).toBe(false);
    });

    it('was over when it came', async () => {
      await bench.store.set('one', sessionOf({ createdAt: NOON - 3 * DAY }));
      expect(await isThere()).toBe(false);
    });

    it('is not prolonged by use where sessions do not roll', async () => {
      const store = await bench.open({ rolling: false, absoluteDuration: 5 * DAY });
      await store.set('one', sessionOf({}));
      bench.time = NOON + 5 * DAY - 1;
      expect(await store.update('one', sessionOf({}))).toBe(true);
      bench.time = NOON + 5 * DAY;
      expect(await store.get('one')).toBeNull();
    });

    it('is found by a logout for as long as it lives, though its longest life was raised since', async () => {
      await bench.store.set('one', sessionOf({}));
      const longer = await bench.open({ absoluteDuration: 30 * DAY, inactivityDuration: 10 * DAY });
      bench.time = NOON + HOUR;
      await longer.update('one', sessionOf({}));
      bench.time = NOON + 9 * DAY;
      await longer.set('two', sessionOf({ createdAt: bench.time }));
      await longer.deleteByLogoutToken({ sub: 'auth0|ada' });
      expect([await longer.get('one'), await longer.get('two')]).toEqual([null, null]);
    });

    it('is removed by cleanUp, and by a sign-in every so often', async (test) => {
      if (bench.harness.forgetsByItself) test.skip();
      const store = await bench.open({ cleanUpEvery: 2 * DAY });
      for (const id of ['one', 'two', 'three']) await store.set(id, sessionOf({}));
      bench.time = NOON + DAY - 1;
      await store.update('three', sessionOf({}));
      bench.time = NOON + DAY;
      await store.set('four', sessionOf({}));
      expect(await bench.harness.count()).toBe(4);
      await store.cleanUp();
      expect(await bench.harness.count()).toBe(2);
      bench.time = NOON + 2 * DAY;
      await store.set('five', sessionOf({ createdAt: bench.time }));
      expect(await bench.harness.count()).toBe(1);
    });
  });
}
