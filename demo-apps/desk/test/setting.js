import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { DEMO_DESK } from '@slo-hub-demo/tenant/demo';
import { startTenant } from '../../tenant/test/setting.js';

const BIN = fileURLToPath(new URL('../bin/desk.js', import.meta.url));
const HUB = 'http://localhost:4000';

/**
 * A tenant, and Desk as a process of its own with its database in a folder of its own.
 *
 * @param {{hub?: string}} [options]
 */
export async function startSetting({ hub = HUB } = {}) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'desk-'));
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const { tenant, close } = await startTenant({ desk: url });
  const config = {
    ...{ port, url, issuer: tenant.issuer, hub, database: path.join(folder, 'desk.db') },
    ...{ clientId: DEMO_DESK.client_id, clientSecret: DEMO_DESK.client_secret },
  };
  let desk = await startDesk(config);
  return {
    url,
    tenant,
    database: config.database,
    browser: () => new Browser(url),
    /** What the tenant would send Desk about this session, or with a `sub` alone about this person. */
    logoutToken: ({ sid, sub }) => tenant.backchannel.logoutToken({ clientId: config.clientId, sid, sub }),
    deliver: (token) => fetch(`${url}/backchannel-logout`, { method: 'POST', body: new URLSearchParams({ logout_token: token }) }),
    /** As a power cut would: without a chance to put anything in order. */
    async restart() {
      await end(desk, 'SIGKILL');
      desk = await startDesk(config);
    },
    async close() {
      await end(desk, 'SIGTERM');
      await close();
      await rm(folder, { recursive: true });
    },
  };
}

/** Enough of a browser to sign in: cookies, one set for each origin, and redirects. */
export class Browser {
  #cookies = new Map();
  #home;

  constructor(home) {
    this.#home = home;
  }

  async request(address, options = {}) {
    const url = new URL(address, this.#home);
    const cookies = this.#cookies.get(url.origin) ?? new Map();
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, { ...options, headers: { cookie, ...options.headers }, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) {
      const [name, value] = line.split(';', 1)[0].split(/=(.*)/s);
      if (value === '') cookies.delete(name);
      else cookies.set(name, value);
    }
    this.#cookies.set(url.origin, cookies);
    return response;
  }

  async visit(address, options) {
    let response = await this.request(address, options);
    let url = new URL(address, this.#home);
    while (response.headers.has('location')) {
      url = new URL(response.headers.get('location'), url);
      response = await this.request(url);
    }
    return { url, response, page: await response.text() };
  }

  /** Answers with the page the person arrives at. */
  async signIn(user) {
    const { url, response, page } = await this.visit('/login');
    if (!url.pathname.startsWith('/u/login')) return { response, page };
    return this.visit(url, { method: 'POST', headers: { origin: url.origin }, body: new URLSearchParams({ user }) });
  }

  async page(address = '/') {
    return (await this.visit(address)).page;
  }

  /** The fields of the form that signs out, as the page has them. */
  async leaving() {
    const fields = (await this.page()).matchAll(/type="hidden" name="([^"]+)" value="([^"]*)"/g);
    return Object.fromEntries([...fields].map(([, name, value]) => [name, value]));
  }
}

async function startDesk(config) {
  const child = spawn(process.execPath, [BIN, '--config', JSON.stringify(config)], { stdio: ['ignore', 'inherit', 'inherit'] });
  const died = new Promise((_resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`Desk ended with exit code ${code}.`)));
  });
  died.catch(() => {});
  await Promise.race([died, answering(config.url)]);
  return child;
}

async function answering(url) {
  for (;;) {
    const response = await fetch(url).catch(() => undefined);
    if (response?.ok) return response.body.cancel();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function end(child, signal) {
  if (child.exitCode !== null) return undefined;
  return new Promise((resolve) => {
    child.once('exit', resolve);
    child.kill(signal);
  });
}

export function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
