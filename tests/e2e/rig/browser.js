import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

/** Chromium as people have it: third-party cookies blocked, the back/forward cache on. */
export function launchBrowser() {
  return chromium.launch({
    executablePath: fileURLToPath(new URL('chromium', import.meta.url)),
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
    // Playwright switches the back/forward cache off.
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
  });
}
