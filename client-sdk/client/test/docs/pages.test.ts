import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const SDK = path.join(import.meta.dirname, '../../..');
const DOCS = path.join(SDK, 'docs');
const CLIENT = ['angular', 'elements', 'oidc-client-ts', 'react', 'script-tag', 'vue'];
const NODE = ['express', 'fastify', 'nextjs', 'node-http'];
/** Pages with the whole of what to paste. */
const PAGES = [...CLIENT.map((name) => ['client', name] as const), ...NODE.map((name) => ['node', name] as const)];
/** What is said to be typed or written elsewhere than in the app. */
const BESIDE = ['sh', 'toml'];

const page = (name: string) => readFileSync(path.join(DOCS, `${name}.md`), 'utf8');

/** The fenced blocks of a page: what is said after the fence, and what is in it. */
function blocks(name: string): Array<{ info: string; text: string }> {
  return [...page(name).matchAll(/^```(.+)\n([^]*?)^```$/gm)].map(([, info, text]) => ({ info: info!, text: text! }));
}

/** What a page is to have: all of an example. */
function files(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => statSync(path.join(folder, file)).isFile() && !file.endsWith('.d.ts'))
    .sort();
}

describe('the pages of the docs', () => {
  it('are these, each with a test that runs what is to be pasted', () => {
    expect(readdirSync(DOCS).sort()).toEqual([...PAGES.map(([, name]) => `${name}.md`), 'migrating.md'].sort());
    for (const [side, name] of PAGES) expect(readdirSync(path.join(SDK, side, 'test/docs'))).toContain(`${name}.test.ts`);
  });

  it.each(PAGES)('%s %s: what is to be pasted is what the tests run, all of it and nothing else', (side, name) => {
    const example = path.join(SDK, side, 'examples', name);
    const pasted = blocks(name).filter(({ info }) => !BESIDE.includes(info));
    const titles = pasted.map(({ info }) => /^\w+ title="(.*)"$/.exec(info)?.[1] ?? `no title: ${info}`);
    expect([...titles].sort()).toEqual(files(example));
    for (const [at, title] of titles.entries()) expect(pasted[at]!.text).toBe(readFileSync(path.join(example, title), 'utf8'));
  });

  it('migrating: what comes after is what the tests run', () => {
    const after = blocks('migrating').filter(({ info }) => info.includes('title="'));
    expect(after.map(({ info }) => info)).toEqual(['html title="script-tag/index.html"', 'js title="script-tag/app.js"']);
    for (const { info, text } of after) {
      const [, file] = /title="(.*)"/.exec(info)!;
      expect(text).toBe(readFileSync(path.join(SDK, 'client/examples', file!), 'utf8'));
    }
  });

  it.each(['../README', ...PAGES.map(([, name]) => name), 'migrating'])('%s: its links lead somewhere', (name) => {
    const links = [...page(name).matchAll(/\]\(([\w./-]+\.md)?(?:#([\w-]+))?\)/g)];
    expect(links.length).toBeGreaterThan(0);
    for (const [, file, heading] of links) {
      const target = file ? readFileSync(path.join(DOCS, path.dirname(name), file), 'utf8') : page(name);
      const headings = [...target.matchAll(/^#+ (.*)$/gm)].map(([, text]) => text!.toLowerCase().replace(/[^\w\s-]/g, '').replace(/\s+/g, '-'));
      if (heading) expect(headings).toContain(heading);
    }
  });
});
