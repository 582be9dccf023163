#!/usr/bin/env node
/**
 * Builds the single-page apps into `<app>/dist`, Portal into `portal/.next`, and first the SDKs the apps
 * use. Portal and the SDKs are built where they are missing or older than their source.
 */
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { cp, mkdir, readFile, rm, stat, writeFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const SDK = path.join(HERE, '../client-sdk');
const APPS = ['notes', 'shop'];

export async function buildApp(app, { alias = {} } = {}) {
  const root = path.join(HERE, app);
  const dist = path.join(root, 'dist');
  await rm(dist, { recursive: true, force: true });
  await mkdir(dist, { recursive: true });
  await cp(path.join(root, 'public'), dist, { recursive: true });
  const { metafile } = await build({
    entryPoints: { main: path.join(root, 'src/main') },
    outdir: path.join(dist, 'assets'),
    entryNames: '[name]-[hash]',
    absWorkingDir: dist,
    bundle: true,
    // The SDK is linked, and what it imports is the app's own: there must be one React, and not the SDK's beside it.
    preserveSymlinks: true,
    format: 'esm',
    target: ['chrome120', 'firefox125', 'safari17.4'],
    minify: true,
    sourcemap: true,
    metafile: true,
    legalComments: 'none',
    logLevel: 'warning',
    alias,
  });
  const page = await readFile(path.join(root, 'index.html'), 'utf8');
  await writeFile(path.join(dist, 'index.html'), withHashedNames(page, Object.keys(metafile.outputs)));
}

/** `/assets/main.js` in the page becomes `/assets/main-ABC123.js`, as the build named it. */
function withHashedNames(page, outputs) {
  return page.replace(/\/assets\/main\.(js|css)/g, (plain, kind) => {
    const built = outputs.find((name) => name.endsWith(`.${kind}`));
    if (built === undefined) throw new Error(`The build wrote no ${plain}.`);
    return `/${built}`;
  });
}

export async function buildSdk() {
  // Code and types are written by two tools; both must be there and newer than the source.
  const fresh = await Promise.all([isBuilt('client', ['auth0.js', 'auth0.d.ts']), isBuilt('node', ['index.js', 'index.d.ts'])]);
  if (fresh.every(Boolean)) return;
  run(path.join(HERE, '../scripts/npm-ready'), SDK);
  try {
    run('npm', '--prefix', SDK, '--silent', 'run', 'build');
  } catch (error) {
    // Or the next build would take a half-built one for a fresh one.
    for (const name of ['client', 'node']) await rm(path.join(SDK, name, 'dist'), { recursive: true, force: true });
    throw error;
  }
}

export async function buildPortal() {
  const root = path.join(HERE, 'portal');
  const made = ['.next', 'next-env.d.ts', 'node_modules'];
  const stamp = path.join(root, '.next/built');
  const sources = (await readdir(root)).filter((name) => !made.includes(name)).map((name) => path.join(root, name));
  const others = ['shared/src/styles.css', 'package-lock.json'].map((name) => path.join(HERE, name));
  const changed = await Promise.all([...sources, ...others].map(newest));
  if ((await newest(stamp)) > Math.max(...changed)) return;
  await rm(path.join(root, '.next'), { recursive: true, force: true });
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1' };
  const { status, stdout, stderr } = spawnSync('npm', ['--prefix', root, '--silent', 'run', 'build'], { env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`next build failed.\n${stdout}${stderr}`);
  await writeFile(stamp, '');
}

async function isBuilt(name, files) {
  const root = path.join(SDK, name);
  const built = await Promise.all(files.map((file) => newest(path.join(root, 'dist', file))));
  return Math.min(...built) > (await newest(path.join(root, 'src')));
}

function run(command, ...args) {
  const { status } = spawnSync(command, args, { stdio: 'inherit' });
  if (status !== 0) throw new Error(`${path.basename(command)} ${args.join(' ')} failed.`);
}

/** When the newest file below was written, in ms; 0 where there is none. */
async function newest(target) {
  const found = await stat(target).catch(() => undefined);
  if (found === undefined) return 0;
  if (!found.isDirectory()) return found.mtimeMs;
  const inside = await readdir(target);
  return Math.max(0, ...(await Promise.all(inside.map((name) => newest(path.join(target, name))))));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await buildSdk();
    if (!process.argv.includes('--sdk-only')) {
      for (const app of APPS) await buildApp(app);
      await buildPortal();
    }
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
