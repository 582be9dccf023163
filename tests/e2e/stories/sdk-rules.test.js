import { readFile } from 'node:fs/promises';
import net from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../rig/until.js';
import { startWorld } from '../rig/world.js';

const ELEMENTS = new URL('../../../client-sdk/client/dist-iife/slo-hub-elements.js', import.meta.url);
const TABS = 24;

let world;
let ledger;
let payroll;
let ada;
beforeEach(async () => {
  world = await startWorld({ sites: { Ledger: {}, Payroll: {} } });
  ({ Ledger: ledger, Payroll: payroll } = world.sites);
});
afterEach(() => world.close());

/** Signs in to both sites, and puts a page with the hub's own script on each. */
async function signIn(options) {
  ada = await world.person('Ada Lovelace', options);
  for (const site of [ledger, payroll]) {
    await (await site.signIn(ada)).close();
    site.serve('/app', await appPage(site));
  }
}

async function appPage(site) {
  const idToken = await site.idToken(ada.context);
  return `<!doctype html><html lang="en"><title>${site.name}</title>
    <slo-signed-out><a href="/">Sign in</a></slo-signed-out>
    <main>Private</main>
    <script src="${world.urls.hub}/sdk/slo-hub.js"></script>
    <script>${await readFile(ELEMENTS, 'utf8')}</script>
    <script>
      const seen = { asked: [], told: [], presented: [], tickets: [], restored: 0 };
      // In the page itself: devtools see no frames of one that comes from the back/forward cache.
      class Watched extends WebSocket {
        constructor(...address) {
          super(...address);
          this.addEventListener('message', ({ data }) => {
            const { type, resume } = JSON.parse(data);
            if (type === 'subscribed') seen.tickets.push(resume);
          });
        }
        send(data) {
          const { type, token } = JSON.parse(data);
          if (type === 'subscribe') seen.presented.push(token);
          super.send(data);
        }
      }
      const options = {
        WebSocket: Watched,
        hub: '${world.urls.hub}',
        getToken: ({ reason }) => (seen.asked.push(reason), '${idToken}'),
        curtain: true,
        onSignedOut(event) {
          seen.told.push(event.id);
          document.querySelector('main').remove();
          document.querySelector('slo-signed-out').event = event;
        },
      };
      const slo = SloHub.createSlo(options);
      addEventListener('pageshow', ({ persisted, timeStamp }) => {
        if (!persisted) return;
        Object.assign(seen, { restored: seen.restored + 1, first: undefined, hidden: 0, shownAfter: undefined });
        const look = (now) => {
          if (document.querySelector('main')?.checkVisibility({ opacityProperty: true, visibilityProperty: true })) seen.shownAfter ??= now - timeStamp;
          else seen.hidden += 1;
          if (seen.shownAfter === undefined) requestAnimationFrame(look);
        };
        requestAnimationFrame(look);
      });
    </script></html>`;
}

async function open(site) {
  const page = await ada.context.newPage();
  await page.goto(`${site.origin}/app`);
  await until(`${site.name} is connected`, () => isIn(page, 'connected'));
  return page;
}

const isIn = async (page, state) => (await page.evaluate('slo.state')) === state;
const seenBy = (page) => page.evaluate('seen');

/** What it has seen, once the hub has given it so many tickets, one for each connection. */
async function seenOnceItHas(page, tickets) {
  const seen = await seenBy(page);
  return seen.tickets.length >= tickets && seen;
}

async function signOutAtPayroll() {
  const other = await open(payroll);
  expect(await other.evaluate('slo.signOut()')).toMatchObject({ delivered: true });
}

/** The page goes into the back/forward cache, something happens, and the Back button brings it back. */
async function leaveAndComeBack(page, meanwhile) {
  await page.goto(payroll.origin);
  await meanwhile();
  await page.goBack({ waitUntil: 'commit' });
  await until('it is restored', async () => (await page.evaluate('seen.restored')) === 1);
}

/** Takes connections, and says nothing. */
async function muteHub() {
  const sockets = new Set();
  const server = net.createServer((socket) => sockets.add(socket.on('error', () => {})));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://localhost:${server.address().port}`,
    close: () => (sockets.forEach((socket) => socket.destroy()), server.close()),
  };
}

test('pagehide closes the socket; pageshow from the back/forward cache opens one, and asks first with what the tab holds', async () => {
  await signIn();
  const tab = await open(ledger);
  expect(world.line.openOf(ledger.origin)).toBe(1);

  await leaveAndComeBack(tab, () => until('its socket is closed', () => world.line.openOf(ledger.origin) === 0));

  const { presented, tickets, asked } = await until('it listens again', () => seenOnceItHas(tab, 2));
  expect(presented).toEqual([await ledger.idToken(ada.context), tickets[0]]);
  expect(asked).toEqual(['connect']);
});

test('a page from the back/forward cache whose session has ended never shows what was on it', async () => {
  await signIn();
  const tab = await open(ledger);

  await leaveAndComeBack(tab, signOutAtPayroll);

  await until('it is told', () => isIn(tab, 'signed-out'));
  const { told, hidden, shownAfter } = await seenBy(tab);
  expect([told.length, shownAfter]).toEqual([1, undefined]);
  expect(hidden).toBeGreaterThan(0);
});

test('the curtain hides a restored page until the hub has answered, 1.5 s at most where it is down', async () => {
  await signIn();
  const tab = await open(ledger);

  await leaveAndComeBack(tab, () => world.hub.kill());

  const { hidden, shownAfter } = await until('it is shown', async () => {
    const seen = await seenBy(tab);
    return seen.shownAfter !== undefined && seen;
  });
  expect(hidden).toBeGreaterThan(0);
  expect(shownAfter).toBeGreaterThan(1_000);
  expect(shownAfter).toBeLessThan(3_000);
  expect((await seenBy(tab)).told).toEqual([]);
});

test('ready and signOut take 1.5 s at most where the hub says nothing, and neither rejects', async () => {
  await signIn();
  const page = await open(ledger);
  const mute = await muteHub();

  const took = await page.evaluate(async (hub) => {
    const begun = performance.now();
    const other = SloHub.createSlo({ ...options, hub });
    const state = await other.ready;
    const ready = performance.now() - begun;
    const { delivered } = await other.signOut();
    return { state, delivered, ready, signOut: performance.now() - begun - ready };
  }, mute.url);

  mute.close();
  expect(took).toMatchObject({ state: 'connecting', delivered: false });
  for (const ms of [took.ready, took.signOut]) expect(ms).toBeGreaterThan(1_400);
  for (const ms of [took.ready, took.signOut]) expect(ms).toBeLessThan(3_000);
});

test('a sign-out reaches the hub though the page is left at once', async () => {
  await signIn();
  const [leaving, staying] = [await open(ledger), await open(payroll)];

  await leaving.evaluate((elsewhere) => {
    void slo.signOut();
    location.assign(elsewhere);
  }, `${payroll.origin}/elsewhere`).catch(() => undefined);

  await until('the other site is told', () => isIn(staying, 'signed-out'));
});

test('a server restart does not bring all tabs back in one second, and brings all of them back', async () => {
  await signIn();
  const page = await open(ledger);
  await page.evaluate((tabs) => {
    globalThis.back = [];
    globalThis.tabs = Array.from({ length: tabs }, () => SloHub.createSlo({ ...options, crossTab: false }));
  }, TABS);
  await until('all listen', () => page.evaluate("tabs.every(({ state }) => state === 'connected')"));
  await page.evaluate("tabs.forEach((tab) => tab.on('state', ({ state }) => state === 'connected' && back.push(performance.now())))");

  await world.hub.kill();
  await world.hub.start();

  const back = await until('all are back', () => page.evaluate('back.length >= tabs.length && back'));
  const inOneSecond = back.map((from) => back.filter((at) => at >= from && at < from + 1_000).length);
  expect(Math.max(...inOneSecond)).toBeLessThan(TABS / 2);
  expect(await page.evaluate('seen.told')).toEqual([]);
});

test('no tab leads: a frozen one keeps nobody else from hearing, and asks first when it goes on', async () => {
  await signIn();
  const [frozen, awake] = [await open(ledger), await open(ledger)];
  const devtools = await ada.context.newCDPSession(frozen);
  await devtools.send('Page.setWebLifecycleState', { state: 'frozen' });

  await signOutAtPayroll();
  await until('the one that is awake is told', () => isIn(awake, 'signed-out'));
  await devtools.send('Page.setWebLifecycleState', { state: 'active' });

  await until('the other is told as well', () => isIn(frozen, 'signed-out'));
  expect((await seenBy(frozen)).told).toEqual((await seenBy(awake)).told);
});

test('on resume and on online the hub is asked first, with the newest ticket, by a new socket in the place of the old', async () => {
  await signIn();
  const tab = await open(ledger);
  for (const [at, occasion] of ["document.dispatchEvent(new Event('resume'))", "window.dispatchEvent(new Event('online'))"].entries()) {
    await tab.evaluate(occasion);
    const { presented, tickets } = await until(`it has asked after ${occasion}`, () => seenOnceItHas(tab, at + 2));
    expect(presented.at(-1)).toBe(tickets[at]);
  }
  await until('the sockets before are closed', () => world.line.openOf(ledger.origin) === 1);
});

test.each(['reduce', 'no-preference'])('the signed-out notice takes the focus and speaks; with motion set to %s it keeps to that', async (reducedMotion) => {
  await signIn({ reducedMotion });
  const page = await open(ledger);

  await signOutAtPayroll();

  const heading = page.getByRole('heading', { name: 'You are signed out' });
  await heading.waitFor();
  await until('it has the focus', () => heading.evaluate((element) => element.getRootNode().activeElement === element));
  expect(await page.evaluate('document.activeElement.localName')).toBe('slo-signed-out');
  await page.getByRole('status').filter({ hasText: /\S/ }).waitFor();
  const moves = await page.evaluate(`(() => {
    const { shadowRoot } = document.querySelector('slo-signed-out');
    return [...shadowRoot.querySelectorAll('*')].some((part) => getComputedStyle(part).animationName !== 'none');
  })()`);
  expect(moves).toBe(reducedMotion === 'no-preference');
});
