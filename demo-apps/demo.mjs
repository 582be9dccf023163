#!/usr/bin/env node
/**
 * The whole demo with one command: the hub, a stand-in for an Auth0 tenant, and four apps
 * on four different sites. Ctrl-C stops it all.
 *
 *   --no-build       start what is built already
 *   --hub-binary F   use this hub
 */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { buildEverything, hubBinary } from './demo/build.mjs';
import { takenMessage, takenPorts } from './demo/ports.mjs';
import { Processes } from './demo/processes.mjs';
import { PORTS, ROOT, URLS, VAR, parts } from './demo/settings.mjs';

const { values: options } = parseArgs({
  options: { 'no-build': { type: 'boolean' }, 'hub-binary': { type: 'string' } },
});

const processes = new Processes({ logs: VAR, cwd: ROOT });
stopOnSignal();

try {
  await startAll();
  welcome();
  await processes.died;
} catch (error) {
  console.error(`\n${error.message}\n`);
  await processes.stop();
  process.exit(1);
}

async function startAll() {
  // Before a build of minutes, not after it.
  const taken = await takenPorts(PORTS);
  if (taken.length > 0) throw new Error(takenMessage(taken));
  if (!options['no-build']) buildEverything();
  const binary = options['hub-binary'] ?? hubBinary();
  if (!existsSync(binary)) throw new Error(`There is no hub at ${binary}. Start without --no-build.`);
  await mkdir(VAR, { recursive: true });
  // The hub comes last: it fetches the tenant's keys at its start, and not again at once.
  const [hub, ...others] = parts({ hubBinary: binary });
  await startAndWait(others);
  await startAndWait([hub]);
}

async function startAndWait(group) {
  group.forEach((part) => processes.start(part));
  await Promise.all(group.map((part) => processes.ready(part)));
}

function welcome() {
  console.log(`
  Notes           ${URLS.notes}
  Shop            ${URLS.shop}
  Desk            ${URLS.desk}
  Portal          ${URLS.portal}
  Your sessions   ${URLS.sessions}

  Try this: open Notes and Shop side by side, sign in to both as Ada, press “Sign out” in Shop, and watch Notes.

  Logs are in demo-apps/var. Ctrl-C stops everything.
`);
}

function stopOnSignal() {
  let asked = false;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, async () => {
      if (asked) return processes.kill();
      asked = true;
      console.log('\nStopping …');
      await processes.stop();
      process.exit(0);
    });
  }
}
