#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { createAppServer } from '../serve.js';

const { values } = parseArgs({
  options: {
    dir: { type: 'string' },
    port: { type: 'string' },
    config: { type: 'string' },
  },
});
const server = createAppServer({
  dir: values.dir,
  port: Number(values.port),
  config: JSON.parse(values.config),
});
await server.listen();

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await server.close();
    process.exit(0);
  });
}
