#!/usr/bin/env node
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { DEMO_USERS, demoClients } from '../lib/demo.js';
import { createTenant } from '../lib/tenant.js';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '4001' },
    hub: { type: 'string', default: 'http://localhost:4000' },
    notes: { type: 'string', default: 'http://notes.localhost:4010' },
    shop: { type: 'string', default: 'http://shop.localhost:4011' },
    desk: { type: 'string', default: 'http://desk.localhost:4012' },
    portal: { type: 'string', default: 'http://portal.localhost:4013' },
    // A file that keeps keys and sessions from one start to the next. Without it people who
    // left an app open would hold tokens that nobody can verify any more.
    state: { type: 'string' },
  },
});

const tenant = await createTenant({
  port: Number(values.port),
  users: DEMO_USERS,
  clients: demoClients(values),
  hubUrl: values.hub,
  state: values.state && readState(values.state),
});
await tenant.listen();
console.log(`The tenant answers at ${tenant.issuer}`);

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await tenant.close();
    if (values.state) writeState(values.state);
    process.exit(0);
  });
}

// Also now and then, for an end that comes without warning.
if (values.state) setInterval(() => writeState(values.state), 2000).unref();

function readState(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** In one step, so that the file is never half written. It holds private keys: for its owner only. */
function writeState(file) {
  writeFileSync(`${file}.new`, JSON.stringify(tenant.snapshot()), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
