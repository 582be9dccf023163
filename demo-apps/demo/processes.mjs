import { spawn } from 'node:child_process';
import { closeSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';

/** The hub lets its clients finish, and takes ten seconds for it at most. */
const STOP_WITHIN_MS = 12_000;
const READY_WITHIN_MS = 60_000;

/** A set of programs that live and end together. */
export class Processes {
  #running = new Map();
  #logs;
  #cwd;
  #stopping = false;
  #returns = new Set();
  /** Rejects when a program ends before it was told to. */
  died;
  #reportDeath;

  constructor({ logs, cwd }) {
    this.#logs = logs;
    this.#cwd = cwd;
    this.died = new Promise((_resolve, reject) => {
      this.#reportDeath = reject;
    });
    // Nobody may be waiting yet when it happens; whoever does later hears of it all the same.
    this.died.catch(() => {});
  }

  logOf(name) {
    return path.join(this.#logs, `${name}.log`);
  }

  /**
   * Starts a program. One that has `comesBackAfterMs` may end: it is started again then, and
   * its log goes on. With a `pidFile` it can be found.
   */
  start(part, { logMode = 'w' } = {}) {
    const { name, command: [file, ...args], env = {}, pidFile } = part;
    const log = openSync(this.logOf(name), logMode);
    // In a process group of its own, so that Ctrl-C reaches only us and we stop things in order.
    const child = spawn(file, args, { cwd: this.#cwd, detached: true, stdio: ['ignore', log, log], env: { ...process.env, ...env } });
    closeSync(log);
    const ended = new Promise((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code, signal) => resolve(signal ? `signal ${signal}` : `exit code ${code}`));
    });
    this.#running.set(name, { child, ended });
    if (pidFile && child.pid) writeFileSync(pidFile, `${child.pid}\n`);
    void ended.then((how) => this.#onEnd(part, how));
  }

  async #onEnd(part, how) {
    const { name, title, comesBackAfterMs, pidFile } = part;
    this.#running.delete(name);
    if (pidFile) rmSync(pidFile, { force: true });
    if (this.#stopping) return;
    if (comesBackAfterMs) return this.#comesBack(part, how);
    const log = await readFile(this.logOf(name), 'utf8').catch(() => '');
    const tail = (log.trimEnd() || '(empty)').split('\n').slice(-15).map((line) => `    ${line}`).join('\n');
    this.#reportDeath(new Error(`The ${title} ended by itself (${how}). The end of ${this.logOf(name)}:\n\n${tail}`));
  }

  #comesBack(part, how) {
    console.log(`  ${part.title} has ended (${how}); it starts again in ${part.comesBackAfterMs / 1000} seconds.`);
    const timer = setTimeout(() => {
      this.#returns.delete(timer);
      this.start(part, { logMode: 'a' });
      console.log(`  ${part.title} has started again.`);
    }, part.comesBackAfterMs);
    this.#returns.add(timer);
  }

  /** Waits until the address answers with success, or until one of the programs has died. */
  async ready({ name, title, ready }) {
    const deadline = Date.now() + READY_WITHIN_MS;
    while (Date.now() < deadline) {
      const answered = await Promise.race([this.died, answers(ready)]);
      if (answered) return;
      await Promise.race([this.died, pause(100)]);
    }
    throw new Error(`The ${title} did not answer at ${ready}. Its log is ${this.logOf(name)}.`);
  }

  /** Ends everything, gently at first. */
  async stop() {
    this.#stopping = true;
    this.#returns.forEach((timer) => clearTimeout(timer));
    const all = [...this.#running.values()];
    all.forEach(({ child }) => child.kill('SIGTERM'));
    const timer = setTimeout(() => this.kill(), STOP_WITHIN_MS);
    await Promise.all(all.map(({ ended }) => ended));
    clearTimeout(timer);
  }

  kill() {
    for (const { child } of this.#running.values()) child.kill('SIGKILL');
  }
}

async function answers(url) {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
