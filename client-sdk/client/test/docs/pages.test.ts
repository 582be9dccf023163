import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const DOCS = path.join(import.meta.dirname, '../../../docs');
const EXAMPLES = path.join(import.meta.dirname, '../../examples');
const PAGES = ['angular', 'elements', 'oidc-client-ts', 'react', 'script-tag', 'vue'];

const page = (name: string) => readFileSync(path.join(DOCS, `${name}.md`), 'utf8');

/** The fenced blocks of a page: what is said after the fence, and what is in it. */
function blocks(name: string): Array<{ info: string; text: string }> {
  return [...page(name).matchAll(/^```(.+)\n([^]*?)^```$/gm)].map(([, info, text]) => ({ info: info!, text: text! }));
}

function files(folder: string): string[] {
  return readdirSync(path.join(EXAMPLES, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => statSync(path.join(EXAMPLES, folder, file)).isFile() && !file.endsWith('.d.ts'))
    .sort();
}

describe('the pages of the docs', () => {
  it('are these, each with a test that runs what is to be pasted', () => {
    expect(readdirSync(DOCS).sort()).toEqual(PAGES.map((name) => `${name}.md`));
    expect(readdirSync(import.meta.dirname)).toEqual(expect.arrayContaining(PAGES.map((name) => `${name}.test.ts`)));
  });

  it.each(PAGES)('%s: what is to be pasted is what the tests run, all of it and nothing else', (name) => {
    const pasted = blocks(name).filter(({ info }) => info !== 'sh');
    const titles = pasted.map(({ info }) => /^\w+ title="(.*)"$/.exec(info)?.[1] ?? `no title: ${info}`);
    expect([...titles].sort()).toEqual(files(name));
    for (const [at, title] of titles.entries()) expect(pasted[at]!.text).toBe(readFileSync(path.join(EXAMPLES, name, title), 'utf8'));
  });

  it.each(PAGES)('%s: its links lead somewhere', (name) => {
    for (const [, file, heading] of page(name).matchAll(/\]\(([\w./-]+\.md)(?:#([\w-]+))?\)/g)) {
      const target = readFileSync(path.join(DOCS, file!), 'utf8');
      const headings = [...target.matchAll(/^#+ (.*)$/gm)].map(([, text]) => text!.toLowerCase().replace(/[^\w\s-]/g, '').replace(/\s+/g, '-'));
      if (heading) expect(headings).toContain(heading);
    }
  });
});
