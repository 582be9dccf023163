import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SECRET } from './fake-hub.js';

/** Where the hub is built; SLO_HUB_BIN names another. */
export const BINARY = process.env['SLO_HUB_BIN'] ?? fileURLToPath(new URL('../../../../target/debug/slo-hub', import.meta.url));
export const isBuilt = existsSync(BINARY);

const ISSUER = 'http://localhost:9/';

/** The hub itself, as a process that can be killed, with a database that stays. */
export class RealHub {
  #process: ChildProcess | undefined;

  private constructor(
    readonly url: string,
    private readonly folder: string,
  ) {}

  /** `more` is of the app: TOML. */
  static async start(more = ''): Promise<RealHub> {
    const folder = await mkdtemp(join(tmpdir(), 'slo-hub-'));
    const [port, adminPort] = await freePorts();
    const hub = new RealHub(`http://localhost:${port}`, folder);
    await writeFile(join(folder, 'hub.toml'), config(port, adminPort) + more);
    await hub.restart();
    return hub;
  }

  async restart(): Promise<void> {
    const child = spawn(BINARY, ['serve', '--config', 'hub.toml'], { cwd: this.folder, stdio: ['ignore', 'ignore', 'pipe'] });
    process.once('exit', () => child.kill('SIGKILL'));
    let said = '';
    child.stderr.on('data', (text: Buffer) => (said += text.toString()));
    this.#process = child;
    for (const patience = Date.now() + 20_000; ; await new Promise((resolve) => setTimeout(resolve, 50))) {
      if (await fetch(`${this.url}/.well-known/slo-hub`).then((answer) => answer.ok, () => false)) return;
      if (Date.now() > patience || child.exitCode !== null) throw new Error(`the hub does not start: ${said}`);
    }
  }

  /** As the power that fails. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  async stop(): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Reports the logout of each session, a few at a time. */
  async logout(sids: readonly string[]): Promise<void> {
    const left = [...sids];
    const reporter = async () => {
      for (let sid = left.shift(); sid !== undefined; sid = left.shift()) await this.#report({ sid });
    };
    await Promise.all(Array.from({ length: 16 }, reporter));
  }

  async #report(logout: object): Promise<void> {
    const answer = await fetch(`${this.url}/api/v1/logouts`, {
      method: 'POST',
      headers: { authorization: this.#basic(), 'content-type': 'application/json' },
      body: JSON.stringify(logout),
    });
    if (answer.status !== 201) throw new Error(`the hub answers ${answer.status}: ${await answer.text()}`);
  }

  /** What the receipt of a logout says of the back end. */
  async receipt(id: string): Promise<readonly { readonly client_id: string; readonly status: string }[]> {
    const answer = await fetch(`${this.url}/api/v1/logouts/${id}`, { headers: { authorization: this.#basic() } });
    return ((await answer.json()) as { deliveries: [] }).deliveries;
  }

  #basic(): string {
    return `Basic ${Buffer.from(`desk:${encodeURIComponent(SECRET)}`).toString('base64')}`;
  }
}

/** Below what the system hands out by itself (from 32768 on Linux), so that a hub that was killed finds its port again. */
const FIRST_PORT = 19_000;
let next = process.pid % 900;

async function freePorts(): Promise<[number, number]> {
  const ports: number[] = [];
  while (ports.length < 2) {
    const port = FIRST_PORT + (next++ % 1_000);
    if (await isFree(port)) ports.push(port);
  }
  return [ports[0]!, ports[1]!];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

const config = (port: number, adminPort: number) => `
[server]
listen = "127.0.0.1:${port}"
public_url = "http://localhost:${port}"
admin_listen = "127.0.0.1:${adminPort}"
[store]
url = "sqlite://hub.db"
[[issuers]]
issuer = "${ISSUER}"
[[apps]]
client_id = "desk"
name = "Desk"
origins = ["http://desk.localhost:9"]
post_logout_redirect_uris = []
secret = "${SECRET}"
`;
