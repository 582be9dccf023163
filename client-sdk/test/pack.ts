import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const SDK = path.join(import.meta.dirname, '..');
const TYPESCRIPT = path.join(SDK, 'node_modules/typescript/bin/tsc');

/** A package as somebody has it who has installed it. */
export interface Installed {
  /** Its folder, below `node_modules`. */
  readonly at: string;
  /** Everything that is in it, by path, in order. */
  readonly files: readonly string[];
}

/**
 * Packs a package of ours as it is published, and has npm install that in a folder: with no network, and with the
 * dependencies that the package declares, packed as they are installed here.
 */
export function installInto(folder: string, name: 'client' | 'node'): Installed {
  const { dependencies = {} } = manifest(path.join(SDK, name));
  const tarballs = path.join(folder, 'tarballs');
  mkdirSync(tarballs, { recursive: true });
  const [ours, ...theirs] = [name, ...Object.keys(dependencies).map((dependency) => `node_modules/${dependency}`)].map(
    (source) => pack(`./${source}`, tarballs),
  );
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  const all = [ours!, ...theirs].map(({ filename }) => path.join('tarballs', filename));
  npm(folder, 'install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund', ...all.map((file) => `./${file}`));
  return { at: path.join(folder, 'node_modules/@slo-hub', name), files: ours!.files.map((file) => file.path).sort() };
}

interface Tarball {
  readonly filename: string;
  readonly files: ReadonlyArray<{ readonly path: string }>;
}

function pack(source: string, into: string): Tarball {
  const said = npm(SDK, 'pack', source, '--json', '--ignore-scripts', '--pack-destination', into);
  return (JSON.parse(said) as Tarball[])[0]!;
}

function npm(cwd: string, ...words: string[]): string {
  return execFileSync('npm', words, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}

/** Runs a program in that folder, in a process of its own, and returns what it wrote. */
export function run(folder: string, program: string): string {
  writeFileSync(path.join(folder, 'main.mjs'), program);
  return execFileSync(process.execPath, ['main.mjs'], { cwd: folder, encoding: 'utf8', timeout: 20_000 }).trim();
}

/**
 * What the compiler says to a program in that folder, as strict as it gets, with the declarations of packages checked
 * too. Nothing, where all is well.
 */
export function compile(folder: string, resolution: 'node16' | 'bundler', program: string): string {
  const module = { node16: 'node16', bundler: 'esnext' }[resolution];
  const compilerOptions = {
    ...{ module, moduleResolution: resolution, target: 'es2022', lib: ['es2023', 'dom', 'dom.iterable'], types: [] },
    ...{ strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, noEmit: true },
  };
  writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['consumer.ts'] }));
  writeFileSync(path.join(folder, 'consumer.ts'), program);
  try {
    return execFileSync(process.execPath, [TYPESCRIPT, '-p', '.'], { cwd: folder, encoding: 'utf8' });
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
}

/** What is read of a package.json. */
export interface Manifest {
  readonly [field: string]: unknown;
  readonly name: string;
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

export function manifest(folder: string): Manifest {
  return JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as Manifest;
}
