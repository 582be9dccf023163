import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'vitest';
import { CLIENT, Provider, Visitor } from './parties.js';

const EXAMPLES = path.join(import.meta.dirname, '../../examples');
const SIGNED_IN = 'You are signed in.';

/** An app of the docs as a process of its own, in an empty folder, with people who visit it. */
export class Example {
  readonly laptop: Visitor;
  readonly phone: Visitor;
  #process: ChildProcess | undefined;
  #said = '';

  private constructor(
    private readonly command: readonly string[],
    private readonly folder: string,
    private readonly env: Readonly<Record<string, string>>,
    readonly provider: Provider,
  ) {
    this.laptop = new Visitor(this.url, provider.url, 'laptop');
    this.phone = new Visitor(this.url, provider.url, 'phone');
  }

  /** `name` is that of a folder with a `server.js`. */
  static async start(name: string, hub: string): Promise<Example> {
    return Example.run([path.join(EXAMPLES, name, 'server.js')], hub);
  }

  /** Runs node so. */
  static async run(command: readonly string[], hub: string): Promise<Example> {
    const folder = await mkdtemp(path.join(tmpdir(), 'slo-hub-example-'));
    const provider = await new Provider().start();
    const port = await freePort();
    const env = {
      ...{ BASE_URL: `http://localhost:${port}`, PORT: String(port), HUB: hub, HUB_SECRET: 'a-secret-at-the-hub' },
      ...{ ISSUER: provider.issuer, CLIENT_ID: CLIENT.id, CLIENT_SECRET: CLIENT.secret },
      ...{ COOKIE_SECRET: 'a-secret-of-the-app-of-32-letters-', DATABASE: path.join(folder, 'sessions.db') },
    };
    const example = new Example(command, folder, env, provider);
    await example.restart();
    return example;
  }

  get url(): string {
    return this.env['BASE_URL']!;
  }

  /** As after a deployment, or the power that failed. */
  async restart(): Promise<void> {
    await this.#kill();
    const env = { ...process.env, ...this.env };
    this.#process = spawn(process.execPath, [...this.command], { cwd: this.folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const child = this.#process;
    process.once('exit', () => child.kill('SIGKILL'));
    for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (text: Buffer) => (this.#said += text.toString()));
    await this.until('it answers', () => fetch(this.url).then((answer) => answer.ok, () => false));
  }

  async until(what: string, isSo: () => Promise<boolean>): Promise<void> {
    for (const patience = Date.now() + 25_000; !(await isSo()); await new Promise((resolve) => setTimeout(resolve, 25))) {
      if (Date.now() > patience || this.#process?.exitCode != null) throw new Error(`in vain until ${what}: ${this.#said}`);
    }
  }

  /** Both sign in, and are. */
  async signInBoth(login = '/login'): Promise<void> {
    for (const visitor of [this.laptop, this.phone]) {
      expect(await visitor.sees()).toContain('Sign in');
      expect(await visitor.sees(login)).toContain(SIGNED_IN);
    }
  }

  async isSignedIn(visitor: Visitor): Promise<boolean> {
    return (await visitor.sees()).includes(SIGNED_IN);
  }

  /** The session of the laptop ends; that of the phone goes on; and so it is after a restart. */
  async onlyTheLaptopIsSignedOut(): Promise<void> {
    await this.until('the laptop is signed out', async () => !(await this.isSignedIn(this.laptop)));
    expect(await this.isSignedIn(this.phone)).toBe(true);
    await this.restart();
    expect([await this.isSignedIn(this.laptop), await this.isSignedIn(this.phone)]).toEqual([false, true]);
  }

  /** Posts a logout token, as a provider or the hub does. Answers with the status. */
  async post(at: string, logoutToken: string): Promise<number> {
    return (await fetch(this.url + at, { method: 'POST', body: new URLSearchParams({ logout_token: logoutToken }) })).status;
  }

  async close(): Promise<void> {
    await this.#kill();
    this.provider.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #kill(): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
