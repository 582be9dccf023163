import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../rig/until.js';
import { startWorld } from '../rig/world.js';

let world;
beforeAll(async () => {
  world = await startWorld({ desk: true });
});
afterAll(() => world.close());

/** What the drill says of a session: its lines, and how it ended. */
async function drill({ sid }) {
  const { code, said } = await world.hub.run('drill', '--issuer', world.tenant.issuer, '--sid', sid);
  expect(said).not.toContain(sid);
  return { code, lines: said.trimEnd().split('\n') };
}

/** Waits until the drill says that of an app: its page was closed, and the hub has to hear of it. */
function untilDrillSays({ of, line }) {
  return until(`the drill says ${line}`, async () => {
    const { lines } = await drill(of);
    if (!lines.some((said) => said.startsWith(line))) throw new Error(lines.join('\n'));
    return true;
  });
}

const rehearsals = (page) => page.heard.filter(({ type }) => type === 'rehearsal');

test('a drill names every open app and how fast it answered, and everybody stays signed in', async () => {
  const ada = await world.person('Ada Lovelace');
  const grace = await world.person('Grace Hopper');
  const notes = await ada.signInTo('notes');
  const shop = await ada.signInTo('shop');
  const others = await grace.signInTo('notes');
  const session = await notes.idToken();

  const { code, lines } = await drill(session);
  expect(lines).toEqual([
    expect.stringMatching(/^Notes +acknowledged +\d+ ms$/),
    expect.stringMatching(/^Shop +acknowledged +\d+ ms$/),
    expect.stringMatching(/^Desk +not rehearsed: back channel, see slo-hub doctor$/),
    '2 of 2 open apps acknowledged. Nobody was signed out.',
  ]);
  expect(code).toBe(0);
  // The browser tells us of a frame some time after its page has had it.
  await until('both tabs were seen to hear of it', () => [notes, shop].every((page) => rehearsals(page).length > 0));
  expect([notes, shop, others].map((page) => rehearsals(page).length)).toEqual([1, 1, 0]);
  for (const page of [notes, shop, others]) {
    await page.page.reload();
    await page.showsPrivate();
    expect(page.toldLogouts).toEqual([]);
  }

  // What was rehearsed then happens.
  await shop.signOut();
  await notes.showsSignedOut(/You signed out in Shop/);
  expect(await others.isSignedIn()).toBe(true);
});

test('an app that was closed is away, and where none is open a drill says that it tried nothing', async () => {
  const ada = await world.person('Ada Lovelace');
  const notes = await ada.signInTo('notes');
  const session = await notes.idToken();
  const shop = await ada.signInTo('shop');
  await shop.page.close();
  await untilDrillSays({ of: session, line: 'Shop   away' });
  const { code, lines } = await drill(session);
  expect([code, lines.at(-1)]).toEqual([0, '1 of 1 open app acknowledged. Nobody was signed out.']);

  await notes.page.close();
  await untilDrillSays({ of: session, line: 'Notes  away' });
  const empty = await drill(session);
  expect([empty.code, empty.lines.at(-1)]).toEqual([1, 'No app is open there, so nothing was rehearsed.']);
});
