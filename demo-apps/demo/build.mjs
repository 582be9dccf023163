import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { DEMO, ROOT } from './settings.mjs';

/** Installs what is missing and builds what has changed. Says what it does, for it can take minutes. */
export function buildEverything({ withBalancer = false } = {}) {
  say('Preparing the apps …');
  run(path.join(ROOT, 'scripts/npm-ready'), [DEMO]);
  run(path.join(ROOT, 'scripts/npm-native'), [DEMO]);
  run(process.execPath, [path.join(DEMO, 'build.mjs')]);
  say('Building the hub (the first time takes a few minutes) …');
  const balancer = withBalancer ? ['--example', 'balancer'] : [];
  run('cargo', ['build', '--release', '--quiet', '--bin', 'slo-hub', ...balancer]);
}

/** Where cargo puts the hub; CARGO_TARGET_DIR and cargo's own settings may have moved it. */
export function hubBinary() {
  const { stdout, status } = spawnSync('cargo', ['metadata', '--format-version', '1', '--no-deps', '--offline'], {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  const fallback = process.env.CARGO_TARGET_DIR ?? path.join(ROOT, 'target');
  const target = status === 0 ? JSON.parse(stdout).target_directory : fallback;
  return path.resolve(ROOT, target, 'release/slo-hub');
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: ROOT, stdio: 'inherit' });
  if (error?.code === 'ENOENT') throw new Error(`${command} is not installed.`);
  if (error) throw error;
  if (status !== 0) throw new Error(`${path.basename(command)} ${args.join(' ')} failed; its message is above.`);
}

function say(text) {
  console.log(text);
}
