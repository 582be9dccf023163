#!/usr/bin/env node
// What the sources compile in from elsewhere must be copied by the Dockerfile, and what it
// copies must be let in by .dockerignore: or the image builds here and nowhere else.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

import { isIgnored, parse } from './dockerfile.mjs';

const project = resolve(import.meta.dirname, '..');
const stages = parse(readFileSync(join(project, 'Dockerfile'), 'utf8'));
const fromHere = (stage) => stage.steps.filter((step) => step.name === 'COPY' && step.flags.every((it) => !it.startsWith('from=')));
const copied = stages.flatMap((stage) => fromHere(stage).flatMap((step) => step.args.slice(0, -1)));
const built = fromHere(stages[0]).flatMap((step) => step.args.slice(0, -1));

for (const path of copied) {
  assert.ok(existsSync(join(project, path)), `COPY ${path}: there is no such file`);
  assert.ok(!isIgnored(project, path), `COPY ${path}: .dockerignore keeps it out`);
}
const needed = ['Cargo.toml', 'Cargo.lock', ...included(), ...targets()];
for (const path of needed) {
  const isCopied = built.some((folder) => path === folder || path.startsWith(`${folder}/`));
  assert.ok(isCopied && !isIgnored(project, path), `${path} is compiled in, and does not reach the image's build`);
}
for (const path of ['.git/config', 'slo-hub.toml', 'admin-token', 'slo-hub.db', 'src/slo-hub.db-wal', 'target/debug/slo-hub']) {
  assert.ok(isIgnored(project, path), `${path} would reach the image's build`);
}
assert.ok(needed.length > 3, 'what is compiled in was found');

/** Files that the sources include, from the project's folder. */
function included() {
  const files = readdirSync(join(project, 'src'), { recursive: true }).filter((file) => file.endsWith('.rs'));
  return files.flatMap((file) => {
    const path = join(project, 'src', file);
    const found = readFileSync(path, 'utf8').matchAll(/include_(?:str|bytes)!\(\s*"([^"]+)"\s*\)/g);
    return [...found].map(([, named]) => relative(project, join(dirname(path), named)));
  });
}

/** Targets whose files cargo looks for before it builds any other. */
function targets() {
  const manifest = readFileSync(join(project, 'Cargo.toml'), 'utf8');
  const tables = manifest.split(/^\[\[/m).slice(1).filter((table) => table.startsWith('bench]]'));
  return tables.map((table) => {
    const path = /^path = "(.*)"$/m.exec(table)?.[1];
    const name = /^name = "(.*)"$/m.exec(table)[1];
    return path ?? [`benches/${name}.rs`, `benches/${name}/main.rs`].find((it) => existsSync(join(project, it)));
  });
}
