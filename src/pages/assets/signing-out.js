// The page "Signing you out", fed live. Without this script it reloads itself instead.

/** The most frames that are loaded at once. */
const FRAMES_AT_ONCE = 8;
/** How long whoever is late is waited for. */
const PATIENCE_MS = 3000;
/** How long the end can be seen before the browser goes on. */
const LAST_LOOK_MS = 800;

const page = document.getElementById('signing-out');
const { ticket, onward } = page.dataset;
const rows = new Map([...document.querySelectorAll('[data-app]')].map((row) => [row.dataset.app, row]));
const waiting = JSON.parse(page.dataset.frames);
const loaded = new Set();
/** Apps that were waited for long enough. */
const late = new Set();
let deadline;
let leaving;

function show({ client_id: id, name, state, words }) {
  const row = rows.get(id) ?? addRow(id, name);
  if (row.dataset.state === state) return;
  row.dataset.state = state;
  row.querySelector('.state').textContent = words;
}

/** News from the hub. Who is just being told is waited for; who was waited for long enough may only still confirm. */
function take(app) {
  const before = rows.get(app.client_id)?.dataset.state;
  if (late.has(app.client_id) && app.state !== 'signed-out') return;
  show(app);
  if (app.state === 'signing-out' && before !== 'signing-out') waitAgain();
}

function addRow(id, name) {
  const row = document.createElement('li');
  row.dataset.app = id;
  for (const [part, text] of [['name', name], ['state', '']]) {
    const span = document.createElement('span');
    span.className = part;
    span.textContent = text;
    row.append(span);
  }
  document.getElementById('apps').append(row);
  rows.set(id, row);
  return row;
}

function statesAre(...states) {
  return [...rows.values()].filter((row) => states.includes(row.dataset.state));
}

/** Says how far it is, to who cannot see it. */
function summarise() {
  const done = statesAre('signed-out').length;
  const text = `${done} of ${rows.size} apps signed out`;
  const summary = document.getElementById('summary');
  if (summary.textContent !== text) summary.textContent = text;
}

function waitAgain() {
  clearTimeout(deadline);
  deadline = setTimeout(giveUp, PATIENCE_MS);
}

function giveUp() {
  loaded.forEach(unload);
  for (const row of statesAre('signing-out')) doubt(row.dataset.app);
  goOnIfSettled();
}

/** Who has not confirmed by now is shown so. It may still confirm. */
function doubt(id) {
  late.add(id);
  show({ client_id: id, state: 'unconfirmed', words: 'not confirmed' });
}

/** Leaves once nobody is waited for; stays if somebody turns up. */
function goOnIfSettled() {
  summarise();
  clearTimeout(leaving);
  if (waiting.length + loaded.size + statesAre('signing-out').length > 0) return;
  clearTimeout(deadline);
  // An app of the redirect chain may keep the person: Back then leads here again.
  const isPassing = statesAre('next').length === 0;
  leaving = setTimeout(() => (isPassing ? location.replace(onward) : location.assign(onward)), LAST_LOOK_MS);
}

function loadFrames() {
  while (waiting.length > 0 && loaded.size < FRAMES_AT_ONCE) {
    const frame = waiting.shift();
    const element = document.createElement('iframe');
    Object.assign(element, { hidden: true, title: '', referrerPolicy: 'no-referrer', src: frame.src });
    // It may run and read its own cookies, but not take this window with it.
    element.sandbox.add('allow-scripts', 'allow-same-origin', 'allow-forms');
    // A frame that hangs keeps its place only so long: others wait for it.
    const patience = setTimeout(dropFrame, PATIENCE_MS, frame);
    loaded.add(Object.assign(frame, { element, patience }));
    page.append(element);
    waitAgain();
  }
}

function dropFrame(frame) {
  unload(frame);
  if (rows.get(frame.client_id)?.dataset.state === 'signing-out') doubt(frame.client_id);
  loadFrames();
  goOnIfSettled();
}

function unload(frame) {
  clearTimeout(frame.patience);
  loaded.delete(frame);
  frame.element.remove();
}

/** Only the app's own origin, in the app's own frame, that was given its own nonce, is heard. */
function hear({ source, origin, data }) {
  const frame = [...loaded].find(({ element }) => element.contentWindow === source);
  if (frame?.origin !== origin || typeof data !== 'object' || data === null) return;
  if (data.type === 'slo-frontchannel-ready') {
    source.postMessage({ type: 'slo-frontchannel-logout', nonce: frame.nonce }, origin);
  } else if (data.nonce === frame.nonce && data.type === 'slo-frontchannel-done') {
    settle(frame, 'done');
  } else if (data.nonce === frame.nonce && data.type === 'slo-frontchannel-failed') {
    settle(frame, data.code === 'partitioned' ? 'partitioned' : 'failed');
  }
}

async function settle(frame, says) {
  const { client_id, nonce } = frame;
  const body = JSON.stringify({ ticket, client_id, nonce, says });
  const headers = { 'content-type': 'application/json' };
  // The hub answers by the feed. If it cannot be told, the app is not confirmed.
  await fetch('/logout/frames', { method: 'POST', headers, body }).catch(() => undefined);
  unload(frame);
  loadFrames();
  goOnIfSettled();
}

function listen() {
  const feed = new EventSource(`/logout/progress?ticket=${encodeURIComponent(ticket)}`);
  feed.addEventListener('message', ({ data }) => {
    JSON.parse(data).apps.forEach(take);
    goOnIfSettled();
  });
}

document.querySelector('h1').focus({ preventScroll: true });
addEventListener('message', hear);
// Back from an app of the redirect chain: what is on the page is old.
addEventListener('pageshow', ({ persisted }) => persisted && location.reload());
waitAgain();
listen();
loadFrames();
goOnIfSettled();
