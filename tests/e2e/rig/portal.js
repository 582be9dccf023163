import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { launch } from '../../../demo-apps/portal/launch.mjs';
import { DEMO_PORTAL } from '../../../demo-apps/tenant/lib/demo.js';
import { until } from './until.js';

/** Portal at the hub, as `hub.toml` of the demo has it. */
export const PORTAL_SECRET = 'a-secret-of-portal-for-one-run';

/** Portal, the demo's app by Next.js, as a process that can be killed and started again. */
export class Portal {
  #options;
  #log;
  #process;
  #ended;

  /** @param {{url: string, issuer: string, hub: string, folder: string}} options */
  constructor({ url, issuer, hub, folder }) {
    const { client_id: clientId, client_secret: clientSecret } = DEMO_PORTAL;
    const port = Number(new URL(url).port);
    this.#options = { port, url, issuer, hub, clientId, clientSecret, database: path.join(folder, 'portal.db') };
    this.#log = path.join(folder, 'portal.log');
  }

  /** @param {{follows?: boolean}} [how] whether it follows the hub's log, and does not rely on logout tokens alone */
  async start({ follows = true } = {}) {
    const { command, env } = launch({ ...this.#options, ...(follows && { hubSecret: PORTAL_SECRET }) });
    const [file, ...args] = command;
    const log = openSync(this.#log, 'a');
    this.#process = spawn(file, args, { stdio: ['ignore', log, log], env: { ...process.env, ...env } });
    closeSync(log);
    this.#ended = new Promise((resolve) => this.#process.once('exit', resolve));
    await Promise.race([this.#answers(), this.#endedEarly()]);
  }

  async kill() {
    await this.#end('SIGKILL');
  }

  /** As its operator would: it may put things in order first. */
  async stop() {
    await this.#end('SIGTERM');
  }

  async restart(how) {
    await this.kill();
    await this.start(how);
  }

  async #end(signal) {
    if (this.#process === undefined) return;
    this.#process.kill(signal);
    await this.#ended;
    this.#process = undefined;
  }

  async #answers() {
    await until('Portal answers', async () => (await fetch(`http://127.0.0.1:${this.#options.port}/`)).ok);
  }

  async #endedEarly() {
    await this.#ended;
    throw new Error(`Portal ended at its start:\n${await readFile(this.#log, 'utf8')}`);
  }
}
