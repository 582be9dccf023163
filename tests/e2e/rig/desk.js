import { spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { DEMO_DESK } from '../../../demo-apps/tenant/lib/demo.js';
import { until } from './until.js';

const PROGRAM = fileURLToPath(new URL('../../../demo-apps/desk/bin/desk.js', import.meta.url));

/** Desk, the demo's app with sessions on its server, as a process that can be killed and started again. */
export class Desk {
  #config;
  #process;

  /** @param {{url: string, issuer: string, hub: string, folder: string}} options */
  constructor({ url, issuer, hub, folder }) {
    const { client_id: clientId, client_secret: clientSecret } = DEMO_DESK;
    const port = Number(new URL(url).port);
    this.#config = { port, url, issuer, hub, clientId, clientSecret, database: path.join(folder, 'desk.db') };
  }

  async start() {
    const command = [PROGRAM, '--config', JSON.stringify(this.#config)];
    this.#process = spawn(process.execPath, command, { stdio: ['ignore', 'inherit', 'inherit'] });
    await until('Desk answers', async () => (await fetch(`http://127.0.0.1:${this.#config.port}/`)).ok);
  }

  async kill() {
    if (this.#process === undefined) return;
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGKILL');
    await ended;
    this.#process = undefined;
  }
}
