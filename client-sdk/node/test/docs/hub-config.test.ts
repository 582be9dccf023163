import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BINARY, isBuilt } from '../watch/real-hub.js';

const DOCS = path.join(import.meta.dirname, '../../../docs');
const AROUND = `
[server]
public_url = "https://logout.example.com"
[[issuers]]
issuer = "https://acme.eu.auth0.com/"
`;

const said = readdirSync(DOCS).flatMap((file) => {
  const tables = [...readFileSync(path.join(DOCS, file), 'utf8').matchAll(/^```toml\n([^]*?)^```$/gm)];
  return tables.map(([, toml]) => [file, toml!] as const);
});

let folder: string;
beforeEach(() => void (folder = mkdtempSync(path.join(tmpdir(), 'slo-hub-docs-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(!isBuilt)('what the docs say to write in the hub’s configuration', () => {
  it('is there for every back end', () => {
    expect(said.map(([file]) => file)).toEqual(['express.md', 'fastify.md', 'nextjs.md', 'node-http.md']);
  });

  it.each(said)('%s: the hub takes it', (_file, toml) => {
    writeFileSync(path.join(folder, 'slo-hub.toml'), AROUND + toml);
    const answer = execFileSync(BINARY, ['check', '--config', 'slo-hub.toml'], { cwd: folder, encoding: 'utf8' });
    expect(answer).toContain(/name = "(.*)"/.exec(toml)![1]);
  });
});
