/**
 * Makes the picture at the top of the README from the running demo: before and after
 * "Sign out" was pressed in Shop, with Notes beside it. `make picture` runs it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { AppPage } from './rig/app-page.js';
import { launchBrowser } from './rig/browser.js';

const ROOT = new URL('../../', import.meta.url);
const PICTURE = fileURLToPath(new URL('docs/two-windows.png', ROOT));
const WINDOW = { width: 820, height: 620 };

const STYLE = `
  body { margin: 0; font: 17px system-ui, sans-serif; color: #1d2733; background: #eef1f5; }
  main { padding: 26px 34px 34px; background: #eef1f5; }
  h2 { margin: 10px 2px 14px; font-size: 19px; font-weight: 600; }
  section { display: grid; grid-template-columns: 1fr 1fr; gap: 26px; margin-bottom: 26px; }
  section:last-child { margin-bottom: 0; }
  figure { margin: 0; border-radius: 12px; overflow: hidden; background: #fff; box-shadow: 0 10px 30px rgb(20 30 50 / 16%); }
  figcaption { display: flex; align-items: center; gap: 7px; padding: 10px 14px; background: #dfe4eb; font-size: 13px; color: #46515f; }
  figcaption i { width: 11px; height: 11px; border-radius: 50%; background: #b9c2cd; }
  figcaption span { margin-left: 10px; }
  img { display: block; width: 100%; }
`;

const demo = await startDemo();
const browser = await launchBrowser();
try {
  const context = await browser.newContext({ viewport: WINDOW, deviceScaleFactor: 1.5 });
  const shop = await signIn(context, 'http://shop.localhost:4011');
  const notes = await signIn(context, 'http://notes.localhost:4010');
  const before = await Promise.all([shot(shop), shot(notes)]);

  await shop.signOut();
  await notes.showsSignedOut(/Shop/);
  await shop.showsSignedOut(/Shop/);
  const after = await Promise.all([shot(shop), shot(notes)]);

  await compose(context, [
    { caption: 'Ada is signed in to two sites …', windows: before },
    { caption: '… and presses “Sign out” in Shop.', windows: after },
  ]);
  console.log(PICTURE);
} finally {
  await browser.close();
  demo.kill('SIGTERM');
  await once(demo, 'exit');
}

/** Starts the demo and waits until it says what to try. */
async function startDemo() {
  const script = fileURLToPath(new URL('demo-apps/demo.mjs', ROOT));
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.includes('Try this')) return child;
  }
  throw new Error('The demo did not start.');
}

async function signIn(context, origin) {
  const page = new AppPage({ page: await context.newPage(), origin, person: 'Ada Lovelace' });
  await page.watch();
  await page.open();
  await page.signIn();
  return page;
}

async function shot(app) {
  const image = await app.page.screenshot();
  return { address: new URL(app.page.url()).host, source: `data:image/png;base64,${image.toString('base64')}` };
}

/** Two rows of two windows, as one picture. */
async function compose(context, rows) {
  const page = await context.newPage();
  await page.setViewportSize({ width: 1280, height: 400 });
  const frame = ({ address, source }) =>
    `<figure><figcaption><i></i><i></i><i></i><span>${address}</span></figcaption><img src="${source}" alt=""></figure>`;
  const row = ({ caption, windows }) => `<h2>${caption}</h2><section>${windows.map(frame).join('')}</section>`;
  await page.setContent(`<!doctype html><style>${STYLE}</style><main>${rows.map(row).join('')}</main>`);
  await page.locator('main').screenshot({ path: PICTURE });
}
