#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { createDesk } from '../lib/desk.js';

const { values } = parseArgs({ options: { config: { type: 'string' } } });
const desk = await createDesk(JSON.parse(values.config));
await desk.listen();

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await desk.close();
    process.exit(0);
  });
}
