import { describe, expect, it } from 'vitest';
import { ACME, ADA, DAY, HOUR, NOON, OTHER, sessionOf, type Person } from './harness.js';
import type { Bench } from './suite.js';

/** What a logout ends, and what it leaves alone. */
export function logoutRules(bench: Bench): void {
  const keep = async (people: Readonly<Record<string, Person>>) => {
    for (const [id, person] of Object.entries(people)) await bench.store.set(id, sessionOf(person));
  };
  const left = async (...ids: string[]) => {
    const found = await Promise.all(ids.map(async (id) => ((await bench.store.get(id)) ? id : '')));
    return found.filter(Boolean).join(' ');
  };
  const end = (logout: object) => bench.store.deleteByLogoutToken(logout);

  describe('a logout that names a sid', () => {
    it('ends that session only, whatever sub stands beside it', async () => {
      await keep({ laptop: { sid: 'laptop' }, phone: { sid: 'phone' }, grace: { sid: 'grace', sub: 'auth0|grace' } });
      await end({ iss: ACME, sid: 'laptop', sub: ADA });
      expect(await left('laptop', 'phone', 'grace')).toBe('phone grace');
    });

    it('ends every session of the app that has that sid, however late it began', async () => {
      await keep({ tab: { sid: 'laptop' }, popup: { sid: 'laptop', createdAt: NOON + HOUR } });
      await end({ iss: ACME, sid: 'laptop', iat: NOON });
      expect(await left('tab', 'popup')).toBe('');
    });

    it('is not taken for one of another issuer, nor for a sub', async () => {
      await keep({ ours: { sid: 'x' }, theirs: { sid: 'x', iss: OTHER }, name: { sid: 'y', sub: 'x' } });
      await end({ iss: ACME, sid: 'x' });
      expect(await left('ours', 'theirs', 'name')).toBe('theirs name');
    });
  });

  describe('a logout that names a sub alone', () => {
    it('ends every session of that person, and nobody else’s', async () => {
      await keep({ laptop: { sid: 'laptop' }, phone: { sid: 'phone' }, grace: { sid: 'grace', sub: 'auth0|grace' } });
      await end({ iss: ACME, sub: ADA });
      expect(await left('laptop', 'phone', 'grace')).toBe('grace');
    });

    it('ends a hundred sessions of one person', async () => {
      for (let n = 0; n < 100; n++) await bench.store.set(`s${n}`, sessionOf({ sid: `s${n}` }));
      expect(await bench.harness.count()).toBe(100);
      await end({ iss: ACME, sub: ADA });
      expect(await bench.harness.count()).toBe(0);
    });

    it('is about one issuer’s person', async () => {
      await keep({ ours: {}, theirs: { iss: OTHER }, sid: { sid: ADA, sub: 'auth0|grace' } });
      await end({ iss: ACME, sub: ADA });
      expect(await left('ours', 'theirs', 'sid')).toBe('theirs sid');
    });

    it('and a time leaves the sessions alone that began later, by when the person signed in', async () => {
      await keep({
        before: { createdAt: NOON - HOUR },
        then: { createdAt: NOON },
        after: { createdAt: NOON + 1 },
        silently: { createdAt: NOON + HOUR, authTime: NOON - HOUR },
      });
      await end({ iss: ACME, sub: ADA, iat: NOON });
      expect(await left('before', 'then', 'after', 'silently')).toBe('after');
      await end({ iss: ACME, sub: ADA });
      expect(await left('after')).toBe('');
    });

    it('is not outrun by a token that was refreshed since', async () => {
      await keep({ laptop: {} });
      await bench.store.update('laptop', sessionOf({ createdAt: NOON + HOUR, authTime: NOON + HOUR }));
      await end({ iss: ACME, sub: ADA, iat: NOON });
      expect(await left('laptop')).toBe('');
    });

    it('of long ago ends nothing', async () => {
      await keep({ laptop: {} });
      await end({ iss: ACME, sub: ADA, iat: 0 });
      expect(await left('laptop')).toBe('laptop');
    });
  });

  describe('the issuer', () => {
    it('may be left out: then every issuer’s session ends', async () => {
      await keep({ ours: { sid: 'x' }, theirs: { sid: 'x', iss: OTHER }, more: { sid: 'y', iss: OTHER } });
      await end({ sid: 'x' });
      expect(await left('ours', 'theirs', 'more')).toBe('more');
      await end({ sub: ADA });
      expect(await left('more')).toBe('');
    });

    it('of a session that is not known keeps no logout from ending it', async () => {
      await keep({ one: { sid: 'x', iss: undefined }, two: { sid: 'y', iss: undefined } });
      await end({ iss: ACME, sid: 'x' });
      await end({ iss: ACME, sub: ADA });
      expect(await left('one', 'two')).toBe('');
    });

    it('is that of the ID token, or what nextjs-auth0 noted, or the one that was given', async () => {
      const store = await bench.open({ issuer: OTHER });
      const noted = sessionOf({ iss: undefined });
      await store.set('token', sessionOf({ iss: 'https://token.example/' }));
      await store.set('noted', { ...noted, internal: { ...noted.internal, mcd: { issuer: ACME } } as never });
      await store.set('given', noted);
      await end({ iss: OTHER, sub: ADA });
      expect(await left('token', 'noted', 'given')).toBe('token noted');
      await end({ iss: ACME, sub: ADA });
      expect(await left('token', 'noted')).toBe('token');
    });
  });

  describe('a logout that is not as it should be', () => {
    it('may have members that are undefined: they are not there', async () => {
      await keep({ laptop: { sid: 'laptop' }, phone: { sid: 'phone' } });
      await end({ iss: undefined, sid: 'laptop', sub: undefined, iat: undefined });
      expect(await left('laptop', 'phone')).toBe('phone');
      await end({ iss: ACME, sid: undefined, sub: ADA });
      expect(await left('phone')).toBe('');
    });

    it.each([
      ['names nobody', {}],
      ['names an issuer alone', { iss: ACME }],
      ['has an empty sid', { sid: '', sub: ADA }],
      ['has a sid of null', { sid: null, sub: ADA }],
      ['has a sub of a wrong type', { sub: { $ne: 'x' } }],
      ['has a time of a wrong type', { sub: ADA, iat: '0' }],
    ])('is refused and ends nothing: it %s', async (_what, logout) => {
      await keep({ laptop: {} });
      await expect(end(logout)).rejects.toThrow(TypeError);
      expect(await left('laptop')).toBe('laptop');
    });

    it('may name somebody who is not there, or come twice', async () => {
      await keep({ laptop: {} });
      bench.time = NOON + DAY - 1;
      await end({ iss: ACME, sid: 'nobody' });
      await end({ iss: ACME, sub: 'nobody' });
      expect(await left('laptop')).toBe('laptop');
      await end({ iss: ACME, sid: 's-1' });
      await end({ iss: ACME, sid: 's-1' });
      expect(await left('laptop')).toBe('');
    });
  });
}
