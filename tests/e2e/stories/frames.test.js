import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { answering, framePage } from '../rig/frame-page.js';
import { arrives, redirect, sendPage } from '../rig/site.js';
import { until } from '../rig/until.js';
import { startWorld } from '../rig/world.js';

const FRAME = '/slo?tenant=acme&mode=a%20b';
const PARTITIONED = 'a frame on another site cannot reach the app\'s storage';

let world;
let ledger;
/** The apps with a page for a frame; the first two by their names. */
let framed;
let payroll;
let travel;
let ada;
let page;
beforeAll(async () => {
  const others = Object.fromEntries(['Travel', 'Wiki', 'Mail', 'Chat', 'Desk'].map((name) => [name, { frame: '/slo' }]));
  world = await startWorld({ sites: { Ledger: {}, Payroll: { frame: FRAME }, ...others } });
  const { Ledger, ...framedSites } = world.sites;
  ledger = Ledger;
  framed = Object.values(framedSites);
  [payroll, travel] = framed;
});
afterAll(() => world.close());
beforeEach(async () => {
  for (const site of framed) site.serve('/slo', answering());
  ada = await world.person('Ada Lovelace');
  page = await ledger.signIn(ada);
});

async function claims() {
  const idToken = await ledger.idToken(ada.context);
  return JSON.parse(Buffer.from(idToken.split('.')[1], 'base64url').toString());
}

/** Signs out and goes all the way; what the receipt says of Payroll's frame. */
async function signOut() {
  const who = await claims();
  await page.goto(await ledger.logoutUrl(ada.context), { waitUntil: 'commit' });
  await arrives(page, ledger.goodbye);
  const [frame, ...others] = await world.deliveriesTo(payroll.clientId, who);
  expect(others).toEqual([]);
  return frame;
}

async function expectNotConfirmed() {
  const { status } = await signOut();
  expect(ada.rows.of('Payroll')).toEqual(['signing out…', 'not confirmed']);
  expect(status).toBe('failed');
  // One bad frame is no other app's trouble.
  expect(ada.rows.of('Travel').at(-1)).toBe('signed out');
}

test('a frame is told whose session it is, beside its own query, and becomes signed out', async () => {
  const { iss, sid } = await claims();

  const frame = await signOut();

  expect(frame).toMatchObject({ via: 'frontchannel', status: 'acknowledged' });
  expect(ada.rows.of('Payroll')).toEqual(['signing out…', 'signed out']);
  const asked = payroll.asksFor('/slo').at(-1).searchParams;
  expect(Object.fromEntries(asked)).toEqual({ tenant: 'acme', mode: 'a b', iss, sid });
});

test('the page’s policy lets in the apps’ frames, by their whole addresses, and nothing else', async () => {
  const answer = page.waitForResponse((response) => response.url().includes('/logout/signing-out'));
  await signOut();

  const policy = (await answer).headers()['content-security-policy'];
  const parts = policy.split(';').map((part) => part.trim().split(' '));
  const frames = parts.find(([name]) => name === 'frame-src').slice(1);
  expect(frames.sort()).toEqual(framed.map(({ origin }) => `${origin}/slo`).sort());
  const others = Object.fromEntries(parts.filter(([name]) => name !== 'frame-src').map(([name, ...list]) => [name, list.join(' ')]));
  expect(others).toEqual({
    'default-src': "'none'",
    'style-src': "'self'",
    'script-src': "'self'",
    'connect-src': "'self'",
    'img-src': 'data:',
    'base-uri': "'none'",
    'form-action': "'none'",
    'frame-ancestors': "'none'",
  });
});

test.each([
  ['says that its storage is kept apart', `{ type: 'slo-frontchannel-failed', nonce, code: 'partitioned' }`, PARTITIONED],
  ['says that it could not sign out', `{ type: 'slo-frontchannel-failed', nonce, code: 'sign_out_failed' }`, 'the app could not sign out'],
])('a frame that %s is not confirmed, and the receipt says why', async (_what, says, why) => {
  payroll.serve('/slo', answering(says));

  expect(await signOut()).toMatchObject({ via: 'frontchannel', status: 'failed', error: why });
  expect(ada.rows.of('Payroll')).toEqual(['signing out…', 'not confirmed']);
});

test('frames that hang, break, fail, say nothing or forbid it are not confirmed, and the others are', async () => {
  const troubles = [
    () => {},
    (req) => req.socket.destroy(),
    (_req, res) => sendPage(res, '<h1>Broken</h1>', 500),
    (_req, res) => sendPage(res, '<h1>Fine</h1>'),
    (_req, res) => sendPage(res.setHeader('X-Frame-Options', 'DENY'), answering()),
  ];
  const [good, ...bad] = framed;
  bad.forEach((site, at) => site.serve('/slo', troubles[at]));
  expect(bad).toHaveLength(troubles.length);
  const who = await claims();

  await signOut();

  for (const { name, clientId } of bad) {
    expect([name, ...ada.rows.of(name)]).toEqual([name, 'signing out…', 'not confirmed']);
    expect(await world.deliveriesTo(clientId, who)).toMatchObject([{ via: 'frontchannel', status: 'failed' }]);
  }
  expect(ada.rows.of(good.name)).toEqual(['signing out…', 'signed out']);
});

test('a frame that redirects to another site is not confirmed, whatever it finds there', async () => {
  ledger.serve('/elsewhere', answering());
  payroll.serve('/slo', (_req, res) => redirect(res, `${ledger.origin}/elsewhere`));

  await expectNotConfirmed();

  expect(ledger.asksFor('/elsewhere')).toEqual([]);
});

test('a frame that goes on to another app’s page that may be framed is not believed for it', async () => {
  payroll.serve('/slo', (_req, res) => redirect(res, `${travel.origin}/slo`));
  await expectNotConfirmed();
});

test('a frame that answers in any other shape than the agreed one is not believed', async () => {
  const type = 'slo-frontchannel-done';
  payroll.serve('/slo', answering(`{ type: '${type}' }`, `
    { type: '${type}', nonce: 'x' + nonce }`, `
    { type: '${type}', nonce: [nonce] }`, `
    { type: '${type}', nonce: nonce.toUpperCase() }`, `
    { type: ['${type}'], nonce }`, `
    { type: 'slo-frontchannel-finished', nonce }`, `
    { nonce }`, `
    { message: { type: '${type}', nonce } }`, `
    ['${type}', nonce]`, `
    JSON.stringify({ type: '${type}', nonce })`, `
    new Map([['type', '${type}'], ['nonce', nonce]])`, `
    '${type}'`, 'null', 'undefined', 'true', '0', 'new Date()', 'new ArrayBuffer(8)'));
  await expectNotConfirmed();
});

test('the nonce of another page is not believed', async () => {
  let nonce;
  payroll.serve('/nonce', (_req, res, url) => res.end((nonce = url.searchParams.get('nonce'))));
  payroll.serve('/slo', answering(`(fetch('/nonce?nonce=' + nonce), { type: 'slo-frontchannel-done', nonce })`));
  await signOut();
  await until('the frame has told its nonce', () => nonce !== undefined);

  ada = await world.person('Ada Lovelace');
  page = await ledger.signIn(ada);
  payroll.serve('/slo', answering(`{ type: 'slo-frontchannel-done', nonce: '${nonce}' }`));
  await expectNotConfirmed();
});

test('one app’s frame cannot speak for another, by its own window or by the other’s', async () => {
  payroll.serve('/slo', framePage(''));
  travel.serve('/slo', framePage(`
    addEventListener('message', ({ data: { nonce } }) => {
      parent.postMessage({ type: 'slo-frontchannel-done', nonce, client_id: '${payroll.clientId}' }, '*');
      for (const other of Array.from(parent.frames)) other.postMessage({ type: 'slo-frontchannel-done', nonce }, '*');
    });
    parent.postMessage({ type: 'slo-frontchannel-ready', client_id: '${payroll.clientId}' }, '*');`));
  await expectNotConfirmed();
});

test('a frame within the app’s frame is not heard, though it is of the app’s own origin', async () => {
  payroll.serve('/inner', framePage(`
    addEventListener('message', ({ data: { nonce } }) => top.postMessage({ type: 'slo-frontchannel-done', nonce }, '*'));
    top.postMessage({ type: 'slo-frontchannel-ready' }, '*');`));
  payroll.serve('/slo', '<iframe src="/inner"></iframe>');
  await expectNotConfirmed();
});

test('a hostile window that opened the page, or was opened by it, is not heard', async () => {
  payroll.serve('/slo', framePage(''));
  const target = JSON.stringify(await ledger.logoutUrl(ada.context));
  ledger.serve('/opener', framePage(`
    globalThis.start = () => {
      const page = open(${target});
      setInterval(() => {
        page.postMessage({ type: 'slo-frontchannel-ready' }, '*');
        page.postMessage({ type: 'slo-frontchannel-done', nonce: 'guess' }, '*');
      }, 50);
      addEventListener('message', ({ data }) => { globalThis.heard = data; });
    };`));
  const opener = await ada.context.newPage();
  await opener.goto(`${ledger.origin}/opener`);
  const who = await claims();

  const [popup] = await Promise.all([ada.context.waitForEvent('page'), opener.evaluate(() => globalThis.start())]);
  await ada.rows.say('Payroll', 'signing out…');
  expect(await popup.evaluate(() => globalThis.opener)).toBe(null);
  await arrives(popup, ledger.goodbye);

  expect(ada.rows.of('Payroll')).toEqual(['signing out…', 'not confirmed']);
  expect(await opener.evaluate(() => globalThis.heard)).toBe(undefined);
  const [frame] = await world.deliveriesTo(payroll.clientId, who);
  expect(frame.status).toBe('failed');
});

test('a frame cannot take the window with it, open another, or stop the person with a dialog', async () => {
  const opened = [];
  ada.context.on('page', (tab) => opened.push(tab.url()));
  page.on('dialog', (dialog) => opened.push(dialog.message()) && dialog.dismiss());
  payroll.serve('/tried', (_req, res) => res.end());
  payroll.serve('/slo', framePage(`
    for (const trick of [
      () => { top.location = '${payroll.origin}/stolen'; },
      () => parent.location.assign('${payroll.origin}/stolen'),
      () => open('${payroll.origin}/stolen', '_top'),
      () => open('${payroll.origin}/stolen'),
      () => alert('Stay here'),
    ]) try { trick(); } catch {}
    document.write('<a id="a" target="_top" href="${payroll.origin}/stolen">x</a>');
    document.getElementById('a').click();
    document.write('<form id="f" target="_top" action="${payroll.origin}/stolen"></form>');
    document.getElementById('f').submit();
    fetch('/tried');`));

  await expectNotConfirmed();

  expect(payroll.asksFor('/tried').length).toBeGreaterThan(0);
  expect(payroll.asksFor('/stolen')).toEqual([]);
  expect(opened).toEqual([]);
});

test('twelve frames are loaded, eight at once', async () => {
  const twelve = await startWorld({ sites: crowd(12) });
  try {
    const { Ledger, ...sites } = twelve.sites;
    const load = new Load(Object.values(sites));
    const tab = await Ledger.signIn(await twelve.person('Ada Lovelace'));

    await tab.goto(await Ledger.logoutUrl(tab.context()), { waitUntil: 'commit' });
    await until('eight are loading', () => load.now.size === 8);
    await load.letGo();
    await arrives(tab, Ledger.goodbye);

    expect(load).toMatchObject({ most: 8, ever: 12 });
  } finally {
    await twelve.close();
  }
});

test('eight frames that hang do not keep the other four from being loaded', async () => {
  const twelve = await startWorld({ sites: crowd(12) });
  try {
    const { Ledger, ...sites } = twelve.sites;
    const load = new Load(Object.values(sites));
    const grace = await twelve.person('Grace Hopper');
    const tab = await Ledger.signIn(grace);

    await tab.goto(await Ledger.logoutUrl(tab.context()), { waitUntil: 'commit' });
    await until('eight are loading', () => load.now.size === 8);
    load.isOpen = true;
    await arrives(tab, Ledger.goodbye);

    expect(load).toMatchObject({ most: 8, ever: 12 });
    const ends = Object.keys(sites).map((name) => grace.rows.of(name).at(-1));
    expect(ends.filter((end) => end === 'not confirmed')).toHaveLength(8);
    expect(ends.filter((end) => end === 'signed out')).toHaveLength(4);
  } finally {
    await twelve.close();
  }
});

function crowd(count) {
  const names = Array.from({ length: count }, (_, at) => `Team${at + 1}`);
  return { Ledger: {}, ...Object.fromEntries(names.map((name) => [name, { frame: '/slo' }])) };
}

/** Holds the answers to frames back, and counts them. */
class Load {
  now = new Set();
  most = 0;
  ever = 0;
  /** Whether who asks from now on is answered. */
  isOpen = false;

  constructor(sites) {
    for (const site of sites) site.serve('/slo', (_req, res) => this.#hold(res));
  }

  /** Answers who waits, one by one, and whoever comes in their place. */
  async letGo() {
    while (this.now.size > 0) {
      const [first] = this.now;
      const before = this.ever;
      this.now.delete(first);
      sendPage(first, answering());
      if (this.ever < 12) await until('the next one comes', () => this.ever > before);
    }
  }

  #hold(res) {
    this.ever += 1;
    if (this.isOpen) return sendPage(res, answering());
    this.now.add(res);
    res.once('close', () => this.now.delete(res));
    this.most = Math.max(this.most, this.now.size);
    return undefined;
  }
}
