#!/usr/bin/env node
// Does what the Dockerfile says, without Docker: the lines of its first stage on a copy of
// this machine's root that is thrown away; those of its last stage on an empty root, to which
// only what the base image has is added. Then the hub is started there, as its user, on a
// root that cannot be written to, asked by the HEALTHCHECK, and stopped by the STOPSIGNAL.
//
//   packaging/try-dockerfile.mjs             a debug build, in the project's own target folder
//   packaging/try-dockerfile.mjs --release   exactly as it is written
//
// It needs root, overlayfs and a Rust toolchain.

import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { isIgnored, parse } from './dockerfile.mjs';

const project = resolve(import.meta.dirname, '..');
const scratch = join(project, 'target/try-dockerfile');
const isRelease = process.argv.includes('--release');

/** What distroless/cc has that a program can be linked to: glibc and libgcc. */
const IN_THE_BASE = /^(lib(c|m|dl|rt|pthread|util|resolv)\.so\.\d+|libgcc_s\.so\.1|ld-linux.*\.so\.\d+)$/;
/** The newest glibc symbol that Debian 12 has. */
const GLIBC = [2, 36];

if (process.getuid() !== 0) {
  console.error('This needs root, to mount and to change its root: sudo packaging/try-dockerfile.mjs');
  process.exit(1);
}
if (!process.argv.includes('--inside')) {
  // Mounts of its own, which go with it.
  const words = ['--mount', '--propagation', 'private', process.execPath, ...process.argv.slice(1), '--inside'];
  const ended = spawnSync('unshare', words, { stdio: 'inherit' });
  rmSync(scratch, { recursive: true, force: true });
  process.exit(ended.status ?? 1);
}

mkdirSync(scratch, { recursive: true });
// An overlay may not lie within what it covers.
run('mount', ['-t', 'tmpfs', 'tmpfs', scratch]);
const [build, last] = parse(readFileSync(join(project, 'Dockerfile'), 'utf8'));
runBuild();
const image = runLast();
checkLinks();
await live();
console.log('The Dockerfile does what it says.');

/** The stage that compiles, on an overlay of this machine's root. */
function runBuild() {
  const root = folder('build');
  const layers = `lowerdir=/,upperdir=${folder('upper')},workdir=${folder('work')}`;
  run('mount', ['-t', 'overlay', 'overlay', '-o', layers, root]);
  run('mount', ['--bind', '/proc', join(root, 'proc')]);
  run('mount', ['--rbind', '/dev', join(root, 'dev')]);
  bind(process.env.CARGO_HOME ?? join(homedir(), '.cargo'), root);
  bind(process.env.RUSTUP_HOME ?? join(homedir(), '.rustup'), root);
  let workdir = '/';
  for (const { name, flags, args, text } of build.steps) {
    if (name === 'WORKDIR') {
      workdir = args[0];
      mkdirSync(join(root, workdir), { recursive: true });
    } else if (name === 'COPY') {
      copyFromContext(args, join(root, workdir));
    } else if (name === 'RUN') {
      for (const target of flags.filter((flag) => flag.startsWith('mount=')).map((flag) => /target=([^,]+)/.exec(flag)[1])) {
        // The cache of the build is the project's own; the registry's is bound already.
        if (target.endsWith('/target')) mountAt(join(project, 'target'), join(root, target));
      }
      const command = isRelease ? text : text.replaceAll(' --release', '').replaceAll('target/release', 'target/debug');
      console.log(`RUN ${command}`);
      const inside = `cd ${workdir} && ${command}`;
      run('chroot', [root, '/bin/sh', '-c', inside], { env: { ...process.env, HOME: homedir() }, stdio: 'inherit' });
    } else {
      throw new Error(`the first stage has ${name}, which this cannot do`);
    }
  }
}

/** The stage that is shipped, on an empty root; returns what it says of how it runs. */
function runLast() {
  const root = folder('image');
  const says = { env: {} };
  for (const { name, flags, args } of last.steps) {
    const flag = (key) => flags.find((it) => it.startsWith(`${key}=`))?.slice(key.length + 1);
    if (name === 'COPY' && flag('from')) {
      assert.equal(flag('from'), build.name);
      const [from, to] = args;
      mkdirSync(dirname(join(root, to)), { recursive: true });
      cpSync(join(scratch, 'build', from), join(root, to), { recursive: true });
      if (flag('chown')) run('chown', ['-R', flag('chown'), join(root, to)]);
    } else if (name === 'COPY') {
      copyFromContext(args, root);
    } else if (name === 'ENV') {
      for (const pair of args) says.env[pair.slice(0, pair.indexOf('='))] = pair.slice(pair.indexOf('=') + 1);
    } else {
      says[name] = args;
    }
  }
  assert.match(says.USER[0], /^[1-9]\d*:[1-9]\d*$/, 'the user is a number, and not root');
  return says;
}

/** What the program is linked to must be in the base image, no newer than there. */
function checkLinks() {
  const program = join(scratch, 'image', image.ENTRYPOINT[0]);
  const head = text('readelf', ['--dynamic', program]);
  const needed = [...head.matchAll(/\(NEEDED\).*\[(.*)\]/g)].map(([, library]) => library);
  for (const library of needed) assert.match(library, IN_THE_BASE, `${library} is not in ${last.from}`);
  const symbols = [...text('objdump', ['-T', program]).matchAll(/GLIBC_(\d+)\.(\d+)/g)];
  const newest = symbols.map(([, major, minor]) => [Number(major), Number(minor)]).sort(byVersion).at(-1);
  assert.ok(byVersion(newest, GLIBC) <= 0, `it needs glibc ${newest.join('.')}; ${last.from} has ${GLIBC.join('.')}`);
  console.log(`linked to ${needed.join(', ')}; glibc ${newest.join('.')} or newer`);
  // The libraries themselves, as the base image has them, and whom to trust.
  for (const [, library] of text('ldd', [program]).matchAll(/(\/\S+) \(0x/g)) intoImage(library);
  intoImage('/etc/ssl/certs/ca-certificates.crt');
}

/** Starts it as its users would, asks it, stops it. */
async function live() {
  const root = join(scratch, 'image');
  const [uid] = image.USER[0].split(':').map(Number);
  const [ports, config] = [[await freePort(), await freePort()], image.env.SLO_HUB_CONFIG];
  const env = {
    PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    ...image.env,
    SLO_HUB__SERVER__LISTEN: `0.0.0.0:${ports[0]}`,
    SLO_HUB__SERVER__ADMIN_LISTEN: `127.0.0.1:${ports[1]}`,
  };
  const inside = (words) => ['chroot', [`--userspec=${image.USER[0]}`, root, ...words]];
  mkdirSync(join(root, dirname(config)), { recursive: true });
  const answers = '--domain acme.eu.auth0.com --public-url https://logout.example.com --app-name Notes';
  const app = `--client-id notes --origins https://notes.example --database ${image.VOLUME[0]}/slo-hub.db`;
  const init = [image.ENTRYPOINT[0], 'init', ...answers.split(' '), ...app.split(' ')];
  run('chroot', [root, ...init], { env });
  run('chown', ['-R', image.USER[0], join(root, dirname(config))]);
  run('mount', ['--bind', root, root]);
  mountAt(join(root, image.VOLUME[0]), join(root, image.VOLUME[0]));
  run('mount', ['-o', 'remount,bind,ro', root]);

  const [command, words] = inside([...image.ENTRYPOINT, ...image.CMD]);
  const hub = spawn(command, words, { env, stdio: ['ignore', 'inherit', 'inherit'] });
  const ended = new Promise((done) => hub.on('exit', (code, signal) => done({ code, signal })));
  const [ask, how] = inside(image.HEALTHCHECK.slice(image.HEALTHCHECK.indexOf('CMD') + 1));
  let health;
  for (let tries = 0; tries < 100 && health?.status !== 0; tries += 1) {
    await sleep(100);
    health = spawnSync(ask, how, { env, encoding: 'utf8' });
  }
  const kept = join(root, image.VOLUME[0]);
  const database = existsSync(join(kept, 'slo-hub.db')) ? statSync(join(kept, 'slo-hub.db')) : undefined;
  hub.kill(image.STOPSIGNAL[0]);
  const { code } = await ended;
  assert.equal(health.status, 0, `the HEALTHCHECK says: ${health.stderr}`);
  console.log(`HEALTHCHECK: ${health.stdout.trim()}`);
  assert.deepEqual([database?.uid, (database?.mode ?? 0) & 0o777], [uid, 0o600], 'the database is its owner’s alone');
  assert.equal(code, 0, 'it ends well when it is told to stop');
  assert.deepEqual(readdirSync(kept), ['slo-hub.db'], 'nothing but the database is left');
}

/** COPY from the project's folder, as far as .dockerignore lets it in. */
function copyFromContext(args, root) {
  const [sources, to] = [args.slice(0, -1), args.at(-1)];
  for (const source of sources) {
    const from = join(project, source);
    assert.ok(existsSync(from) && !isIgnored(project, source), `COPY ${source}: .dockerignore keeps it out`);
    const isFolder = statSync(from).isDirectory();
    const target = to.endsWith('/') && !isFolder ? join(root, to, basename(source)) : join(root, to);
    const filter = (path) => !isIgnored(project, path.slice(project.length + 1));
    cpSync(from, target, { recursive: true, preserveTimestamps: true, filter });
  }
}

function intoImage(file) {
  cpSync(file, join(scratch, 'image', file), { recursive: true, dereference: true });
}

/** The same folder, in a root where a mount of its own is not seen. */
function bind(path, root) {
  if (existsSync(path)) mountAt(path, join(root, path));
}

function mountAt(path, at) {
  mkdirSync(at, { recursive: true });
  run('mount', ['--bind', path, at]);
}

function folder(name) {
  const path = join(scratch, name);
  mkdirSync(path, { recursive: true });
  return path;
}

function run(command, words, options = {}) {
  execFileSync(command, words, { stdio: ['ignore', 'ignore', 'inherit'], ...options });
}

function text(command, words) {
  return execFileSync(command, words, { encoding: 'utf8', maxBuffer: 1 << 28 });
}

function byVersion([major, minor], [otherMajor, otherMinor]) {
  return major - otherMajor || minor - otherMinor;
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}
