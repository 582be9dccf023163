import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from './until.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** What signs an operator in to a test's hub. */
export const ADMIN_TOKEN = 'an-administrator-of-one-test-run';

/** The real hub, as a process that can be killed and started again on its database. */
export class Hub {
  #folder;
  #admin;
  #process;

  /** @param {{folder: string, admin: number, config: string}} options */
  constructor({ folder, admin, config }) {
    this.#folder = folder;
    this.#admin = `http://127.0.0.1:${admin}`;
    this.config = config;
  }

  async start() {
    const file = path.join(this.#folder, 'hub.toml');
    await writeFile(file, this.config);
    const log = openSync(this.#log, 'a');
    const child = spawn(hubBinary(), ['serve', '--config', file], { cwd: this.#folder, stdio: ['ignore', log, log] });
    closeSync(log);
    this.#process = child;
    this.ended = new Promise((resolve) => child.once('exit', resolve));
    await Promise.race([this.#ready(), this.#endedEarly()]);
  }

  /** Ends it as a power cut would: no farewell to anybody. */
  async kill() {
    if (this.#process === undefined) return;
    this.#process.kill('SIGKILL');
    await this.ended;
  }

  get #log() {
    return path.join(this.#folder, 'hub.log');
  }

  /** Another command of the hub's on the same configuration: what it said, and how it ended. */
  run(...words) {
    const file = path.join(this.#folder, 'hub.toml');
    const child = spawn(hubBinary(), [...words, '--config', file], { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    child.stdout.on('data', (text) => (said += text));
    child.stderr.on('data', (text) => (said += text));
    return new Promise((resolve) => child.once('close', (code) => resolve({ code, said })));
  }

  async #ready() {
    await until('the hub is ready', async () => (await fetch(`${this.#admin}/readyz`)).ok);
  }

  async #endedEarly() {
    await this.ended;
    throw new Error(`the hub ended at its start:\n${await readFile(this.#log, 'utf8')}`);
  }
}

function hubBinary() {
  const target = path.resolve(ROOT, process.env.CARGO_TARGET_DIR ?? 'target');
  const binary = process.env.SLO_HUB_BIN ?? path.join(target, 'debug/slo-hub');
  if (!existsSync(binary)) throw new Error(`There is no hub at ${binary}: run cargo build, or set SLO_HUB_BIN.`);
  return binary;
}

/** The hub's configuration for one world. */
export function hubConfig({ ports, issuers, apps }) {
  return [
    '[server]',
    `listen = "127.0.0.1:${ports.hub}"`,
    `public_url = "http://localhost:${ports.line}"`,
    `admin_listen = "127.0.0.1:${ports.admin}"`,
    `admin_token = "${ADMIN_TOKEN}"`,
    '[store]',
    'url = "sqlite://hub.db"',
    ...issuers.map(issuerConfig),
    ...apps.map(appConfig),
  ].join('\n');
}

function issuerConfig({ issuer, clientId, clientSecret, management }) {
  return [
    '[[issuers]]',
    `issuer = "${issuer}"`,
    ...(clientId ? [`client_id = "${clientId}"`, `client_secret = "${clientSecret}"`] : []),
    ...(management ? ['[issuers.auth0_management]', ...Object.entries(management).map(([key, value]) => `${key} = "${value}"`)] : []),
  ].join('\n');
}

function appConfig({ clientId, issuer, name, origin, secret, nativeApp, goodbye, frontchannel, backchannel, backchannelToken, chain }) {
  const afterwards = goodbye ?? (origin && `${origin}/signed-out`);
  return [
    '[[apps]]',
    `client_id = "${clientId}"`,
    `issuer = "${issuer}"`,
    `name = "${name}"`,
    `origins = [${origin ? `"${origin}"` : ''}]`,
    ...(nativeApp ? ['allow_no_origin = true'] : []),
    ...(secret ? [`secret = "${secret}"`] : []),
    ...(afterwards ? [`post_logout_redirect_uris = ["${afterwards}"]`] : []),
    ...(frontchannel ? [`frontchannel_logout_uri = "${frontchannel}"`] : []),
    ...(backchannel ? [`backchannel_logout_uri = "${backchannel}"`] : []),
    ...(backchannelToken ? [`backchannel_logout_token = "${backchannelToken}"`] : []),
    ...(chain ? [`chain_logout_uri = "${chain}"`] : []),
  ].join('\n');
}
