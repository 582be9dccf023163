#!/usr/bin/env node
/**
 * The whole demo with one command: the hub, a stand-in for an Auth0 tenant, and four apps
 * on four different sites. Ctrl-C stops it all.
 *
 *   --cluster        three nodes of the hub behind a balancer (make cluster, which has the database)
 *   --no-build       start what is built already
 *   --hub-binary F   use this hub
 */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { buildEverything, hubBinary } from './demo/build.mjs';
import { CLUSTER_PORTS, balancerBeside, clusterOf, clusterWelcome } from './demo/cluster.mjs';
import { takenMessage, takenPorts } from './demo/ports.mjs';
import { Processes } from './demo/processes.mjs';
import { PORTS, ROOT, URLS, VAR, parts } from './demo/settings.mjs';

const { values: options } = parseArgs({
  options: { cluster: { type: 'boolean' }, 'no-build': { type: 'boolean' }, 'hub-binary': { type: 'string' } },
});
/** Of the server that scripts/with-postgres has started. */
const database = process.env.SLO_HUB_TEST_POSTGRES;

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
  const taken = await takenPorts(options.cluster ? { ...PORTS, ...CLUSTER_PORTS } : PORTS);
  if (taken.length > 0) throw new Error(takenMessage(taken));
  if (options.cluster && !database) throw new Error('A cluster needs PostgreSQL: start it by `make cluster`.');
  if (!options['no-build']) buildEverything({ withBalancer: options.cluster });
  const binary = options['hub-binary'] ?? hubBinary();
  const missing = [binary, ...(options.cluster ? [balancerBeside(binary)] : [])].filter((file) => !existsSync(file));
  if (missing.length > 0) throw new Error(`There is no ${missing.join(' and no ')}. Start without --no-build.`);
  await mkdir(VAR, { recursive: true });
  // The hub comes last: it fetches the tenant's keys at its start, and not again at once.
  const [hub, ...others] = parts({ hubBinary: binary });
  await startAndWait(others);
  if (!options.cluster) return startAndWait([hub]);
  const { nodes, balancer } = clusterOf(hub, { hubBinary: binary, database });
  await startAndWait(nodes);
  await startAndWait([balancer]);
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
${options.cluster ? clusterWelcome() : ''}
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
