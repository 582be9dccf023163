import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { manifest, type Installed } from './pack.js';

const PROJECT = path.join(import.meta.dirname, '../..');

/** What is true of everything that is published. `its` is asked inside of the tests. */
export function isFitToPublish(its: () => Installed): void {
  const read = (file: string) => readFileSync(path.join(its().at, file), 'utf8');

  it('says what it is, for whom, and by what right', () => {
    const { name, ...said } = manifest(its().at);
    expect(name).toMatch(/^@slo-hub\/(client|node)$/);
    expect(said).toMatchObject({ license: 'MIT OR Apache-2.0', type: 'module', sideEffects: false, engines: { node: '>=20' } });
    expect(said['description']).toEqual(expect.stringMatching(/^One logout, .{40,}$/));
    expect(said['keywords']).toEqual(expect.arrayContaining(['openid-connect', 'single-logout']));
    expect(said['scripts']).toBeUndefined();
  });

  it('has both licences as the project has them, and its README', () => {
    for (const licence of ['LICENSE-APACHE', 'LICENSE-MIT']) expect(read(licence)).toBe(readFileSync(path.join(PROJECT, licence), 'utf8'));
    expect(read('README.md')).toMatch(/^# @slo-hub\/(client|node)\n/);
  });

  it('its README’s links lead somewhere, wherever it is read', () => {
    const text = read('README.md');
    const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => `#${slug(heading!)}`);
    const links = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, link]) => link!);
    expect(links.filter((link) => !/^https:/.test(link) && !headings.includes(link))).toEqual([]);
  });

  it('every entry has its declarations first, and all of it is there', () => {
    const { exports } = manifest(its().at);
    for (const [entry, target] of Object.entries(exports).filter(([, target]) => typeof target !== 'string')) {
      expect(Object.keys(target), entry).toEqual(['types', 'default']);
    }
    const targets = Object.values(exports).flatMap((target) => (typeof target === 'string' ? target : Object.values(target)));
    expect(its().files).toEqual(expect.arrayContaining(targets.map((target) => target.replace('./', ''))));
  });

  it('every peer is optional: nobody gets a framework or a driver that they do not use', () => {
    const { peerDependencies = {}, peerDependenciesMeta = {} } = manifest(its().at);
    expect(Object.keys(peerDependencies)).toEqual(Object.keys(peerDependenciesMeta));
    expect(Object.values(peerDependenciesMeta)).toEqual(Object.keys(peerDependencies).map(() => ({ optional: true })));
  });
}

/** What a heading is called in an address, as GitHub and npm have it. */
function slug(heading: string): string {
  return heading.toLowerCase().replace(/[^\w\s-]/g, '').replace(/\s+/g, '-');
}
