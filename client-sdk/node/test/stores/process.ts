import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chown, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A server of the test's own, in a folder of its own, which it is reached in by a socket: no port can be taken. */
export interface Server {
  readonly folder: string;
  /** Ends it and removes the folder. */
  stop(): Promise<void>;
}

/** @throws Where it does not answer within 20 s; with what it said. */
async function started(command: string, args: readonly string[], folder: string, user: object | undefined, answers: () => boolean): Promise<Server> {
  const child = spawn(command, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], ...user });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => said.push(text.toString()));
  const stop = async () => {
    process.off('exit', kill);
    await ended(child);
    await rm(folder, { recursive: true, force: true });
  };
  for (const patience = Date.now() + 20_000; !answers(); await new Promise((resolve) => setTimeout(resolve, 50))) {
    if (Date.now() < patience && child.exitCode === null) continue;
    await stop();
    throw new Error(`${command} does not start: ${said.join('')}`);
  }
  return { folder, stop };
}

/** By the signal on which PostgreSQL lets its clients leave first. */
async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}

export async function startRedis(): Promise<Server> {
  needs('redis-server', runs('redis-server', '--version'));
  const folder = await mkdtemp(join(tmpdir(), 'slo-redis-'));
  const args = ['--port', '0', '--unixsocket', join(folder, 'redis.sock'), '--save', '', '--dir', folder];
  return started('redis-server', args, folder, undefined, () => existsSync(join(folder, 'redis.sock')));
}

/** PostgreSQL refuses to run as root: then it runs as the user that its package made. */
export async function startPostgres(): Promise<Server> {
  const programs = await postgresPrograms();
  const folder = await mkdtemp(join(tmpdir(), 'slo-postgres-'));
  const user = process.getuid?.() === 0 ? { uid: idOf('-u'), gid: idOf('-g') } : undefined;
  if (user) await chown(folder, user.uid, user.gid);
  const data = join(folder, 'data');
  const made = spawnSync(join(programs, 'initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync'], { cwd: folder, ...user });
  if (made.status !== 0) throw new Error(`initdb fails: ${String(made.stderr)}`);
  const args = ['-D', data, '-k', folder, '-c', 'listen_addresses=', '-c', 'fsync=off'];
  const answers = () => runs(join(programs, 'pg_isready'), '-q', '-h', folder);
  return started(join(programs, 'postgres'), args, folder, user, answers);
}

/** Debian keeps them by version, and not on the PATH. */
async function postgresPrograms(): Promise<string> {
  const home = '/usr/lib/postgresql';
  const versions = (await readdir(home).catch(() => [])).sort((a, b) => Number(b) - Number(a));
  const found = versions.map((version) => join(home, version, 'bin')).find((folder) => existsSync(join(folder, 'initdb')));
  const other = spawnSync('pg_config', ['--bindir'], { encoding: 'utf8' }).stdout?.trim();
  const programs = found ?? other ?? '';
  needs('postgresql', existsSync(join(programs, 'initdb')));
  return programs;
}

function idOf(kind: '-u' | '-g'): number {
  return Number(spawnSync('id', [kind, 'postgres'], { encoding: 'utf8' }).stdout);
}

function runs(command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

function needs(tool: string, isThere: boolean): void {
  if (!isThere) throw new Error(`${tool} is not installed: run scripts/need ${tool}`);
}
