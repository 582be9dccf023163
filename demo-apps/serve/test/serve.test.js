import assert from 'node:assert/strict';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { createAppServer } from '../serve.js';

let dir;
let server;
let origin;

before(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'serve-'));
  await mkdir(path.join(dir, 'app/assets'), { recursive: true });
  await writeFile(path.join(dir, 'secret.js'), 'no');
  await writeFile(path.join(dir, 'app/index.html'), '<title>App</title><!-- config -->');
  await writeFile(path.join(dir, 'app/assets/main-ABC.js'), 'run()');
  const port = await freePort();
  const config = { hub: 'http://localhost:4000', issuer: 'http://localhost:4001/', clientId: '</script><b>' };
  server = createAppServer({ dir: path.join(dir, 'app'), port, config });
  await server.listen();
  origin = `http://127.0.0.1:${port}`;
});

after(async () => {
  await server.close();
  await rm(dir, { recursive: true });
});

test('every path that is no file is the app, with its configuration in it', async () => {
  const response = await fetch(`${origin}/signed-out`);
  const page = await response.text();
  assert.equal(response.status, 200);
  assert.ok(page.includes('"hub":"http://localhost:4000"'));
  assert.ok(!page.includes('</script><b>'));
});

test('the page may be kept by the back/forward cache, and is asked for each time', async () => {
  const first = await fetch(`${origin}/`);
  assert.equal(first.headers.get('cache-control'), 'no-cache');
  const again = await fetch(`${origin}/`, { headers: { 'if-none-match': first.headers.get('etag') } });
  assert.equal(again.status, 304);
});

test('assets may be kept for ever; one that is not there is not the app', async () => {
  const asset = await fetch(`${origin}/assets/main-ABC.js`);
  assert.match(asset.headers.get('cache-control'), /immutable/);
  assert.match(asset.headers.get('content-type'), /javascript/);
  assert.equal((await fetch(`${origin}/assets/main-OLD.js`)).status, 404);
});

test('the policy allows the hub and the tenant, and no scripts but the own', async () => {
  const policy = (await fetch(`${origin}/`)).headers.get('content-security-policy');
  assert.match(policy, /connect-src 'self' http:\/\/localhost:4001 http:\/\/localhost:4000 ws:\/\/localhost:4000/);
  assert.match(policy, /script-src 'self';/);
});

test('nothing outside the folder is served, and nonsense is refused', async () => {
  for (const path of ['/..%2fsecret.js', '/%2e%2e/secret.js', '/assets/..%2f..%2fsecret.js']) {
    assert.notEqual(await (await fetch(origin + path)).text(), 'no');
  }
  assert.equal((await fetch(`${origin}/%ff`)).status, 400);
  assert.equal((await fetch(`${origin}/`, { method: 'POST' })).status, 405);
});

function freePort() {
  return new Promise((resolve) => {
    const probe = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
