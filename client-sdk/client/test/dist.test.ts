import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { beforeEach, describe, expect, it, vi } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const KIB = 1024;

/** What the package declares to be imported from it, and where that is. */
function entries(): string[] {
  const { exports } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as { exports: Record<string, { default?: string }> };
  return Object.values(exports).flatMap((entry) => entry.default ?? []);
}

describe('dist, as an app bundles it that has it linked', () => {
  beforeEach(() => void vi.useRealTimers());

  const frameworks = ['react', 'vue', '@angular/core'];
  const bundle = (contents: string) => build({
    stdin: { contents, resolveDir: ROOT },
    ...{ bundle: true, minify: true, format: 'esm', charset: 'utf8', write: false, logLevel: 'silent', external: frameworks },
  });

  it.each(entries())('%s: no bundler has anything to say', async (entry) => {
    const { warnings, errors } = await bundle(`export * from '${entry}';`);
    expect([...warnings, ...errors].map(({ text }) => text)).toEqual([]);
    expect(readFileSync(path.join(ROOT, entry), 'utf8')).not.toMatch(/(^|;)import"/);
  });

  it.each([
    ['useSlo', 5.25],
    ['useSlo, SignedOutNotice', 7.25],
  ])('react: who imports %s has nothing else in the bundle', async (names, most) => {
    const { outputFiles } = await bundle(`export { ${names} } from './dist/react.js';`);
    expect(gzipSync(outputFiles![0]!.text, { level: 9 }).length).toBeLessThanOrEqual(most * KIB);
  });

  it('says in its source maps which source everything comes from', () => {
    const files = readdirSync(`${ROOT}dist`).filter((file) => file.endsWith('.js.map'));
    const sources = files.flatMap((file) => (JSON.parse(readFileSync(`${ROOT}dist/${file}`, 'utf8')) as { sources: string[] }).sources);
    expect(sources).toEqual(expect.arrayContaining(['../src/client.ts', '../src/sessions-element.ts', '../src/react.ts']));
  });
});
