import http from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser } from '../rig/browser.js';
import { until } from '../rig/until.js';

/** What the other stories take for granted of this browser. Without it they would prove little. */
let browser;
let server;
let port;
const framed = [];

beforeAll(async () => {
  browser = await launchBrowser();
  server = http.createServer((req, res) => {
    if (req.url === '/frame') framed.push(req.headers.cookie ?? '');
    res.writeHead(200, {
      'Content-Type': 'text/html',
      ...(req.url === '/set' && { 'Set-Cookie': 'who=ada; SameSite=None; Secure; Path=/' }),
    });
    res.end(req.url === '/embeds' ? `<iframe src="http://localhost:${port}/frame"></iframe>` : '<h1>Page</h1>');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = server.address().port;
});

afterAll(async () => {
  await browser.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

test('third-party cookies are blocked', async () => {
  const page = await browser.newPage();
  await page.goto(`http://localhost:${port}/set`);
  await page.goto(`http://localhost:${port}/frame`);
  expect(framed).toEqual(['who=ada']);

  await page.goto(`http://notes.localhost:${port}/embeds`);
  await until('the frame was asked for', () => framed.length === 2);

  expect(framed[1]).toBe('');
  await page.close();
});

test('the back/forward cache is on', async () => {
  const page = await browser.newPage();
  await page.addInitScript(() => {
    addEventListener('pageshow', (event) => {
      globalThis.restored = event.persisted;
    });
  });
  await page.goto(`http://notes.localhost:${port}/one`);
  await page.goto(`http://shop.localhost:${port}/two`);
  await page.goBack({ waitUntil: 'commit' });
  await until('the page was restored', () => page.evaluate(() => globalThis.restored));
  await page.close();
});
