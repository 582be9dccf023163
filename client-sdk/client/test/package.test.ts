import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { compile, installInto, manifest, run, type Installed } from '../../test/pack.js';
import { isFitToPublish } from '../../test/published.js';
import { SCRIPTS } from '../build.mjs';

const SOURCES = path.join(import.meta.dirname, '../src');

let folder: string;
let installed: Installed;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'slo-hub-client-'));
  installed = installInto(folder, 'client');
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(() => void vi.useRealTimers());

/** The names of the modules that can be imported. */
const entries = () => Object.keys(manifest(installed.at).exports).filter((entry) => !entry.endsWith('.json'));

describe('what is published of @slo-hub/client', () => {
  isFitToPublish(() => installed);

  it('is this and nothing else: neither sources nor tests', () => {
    const sources = readdirSync(SOURCES).filter((file) => !/\.test\.ts$|iife\.ts$/.test(file));
    const declarations = sources.map((file) => `dist/${file.replace(/\.ts$/, '.d.ts')}`);
    const modules = entries().map((entry) => `dist/${entry === '.' ? 'index' : entry.slice(2)}.js`);
    const chunks = installed.files.filter((file) => /^dist\/chunk-[0-9A-Z]{8}\.js$/.test(file));
    const maps = [...modules, ...chunks].map((file) => `${file}.map`);
    const scripts = SCRIPTS.map(([name]) => `dist-iife/${name}`);
    const documents = ['LICENSE-APACHE', 'LICENSE-MIT', 'README.md', 'package.json'];
    expect(installed.files).toEqual([...declarations, ...modules, ...chunks, ...maps, ...scripts, ...documents].sort());
  });

  it('needs nothing at run time', () => {
    expect(manifest(installed.at).dependencies).toBeUndefined();
    expect(readdirSync(path.join(folder, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual(['@slo-hub']);
  });
});

describe('installed in an empty folder', () => {
  it('can be imported on a server, where it does nothing and keeps nothing alive', () => {
    const said = run(folder, `
      import { createSlo, SloError } from '@slo-hub/client';
      import { withAuth0 } from '@slo-hub/client/auth0';
      import { endFrontchannelSession, markFrontchannelStorage } from '@slo-hub/client/frontchannel';
      const touched = [];
      globalThis.fetch = () => touched.push('fetch');
      const options = { hub: 'https://hub.example', curtain: true, getToken: () => touched.push('getToken') };
      const slo = createSlo(options);
      const auth0 = withAuth0({ getIdTokenClaims: options.getToken, logout: options.getToken }, options);
      slo.on('state', () => {});
      console.log(slo.start().state, await slo.ready, await slo.signOut(), auth0.state, SloError.name.length > 0, touched);
      slo.stop();
      markFrontchannelStorage();
      console.log(await endFrontchannelSession({ hub: options.hub, signOut: options.getToken }), touched);
    `);
    expect(said.split('\n')).toEqual([
      'idle idle { delivered: false } idle true []',
      "{ acknowledged: false, storage: 'unknown' } []",
    ]);
  });

  it('every entry that needs no framework can be imported, and one that does names the framework', () => {
    const said = run(folder, `
      for (const entry of ${JSON.stringify(entries())}) {
        const name = '@slo-hub/client' + entry.slice(1);
        console.log(entry, await import(name).then(() => 'is there', (error) => /Cannot find package '(.*?)'/.exec(error.message)[1]));
      }
    `);
    const frameworks = ['./angular @angular/core', './react react', './vue vue'];
    const others = ['.', './auth0', './elements', './frontchannel', './oidc'].map((entry) => `${entry} is there`);
    expect(said.split('\n').sort()).toEqual([...frameworks, ...others].sort());
  });

  it.each(['node16', 'bundler'] as const)('its types resolve by %s, without the types of any framework', (resolution) => {
    expect(compile(folder, resolution, CONSUMER)).toBe('');
  });

  it('and they are types: what makes no sense is an error', () => {
    expect(compile(folder, 'node16', `${CONSUMER}\ncreateSlo({ hub: 5, getToken: () => null });`)).toMatch(/TS2322.*number/);
  });
});

const CONSUMER = `
import { createSlo, SloError, type SloState, type SignedOutEvent } from '@slo-hub/client';
import { withAuth0, type Auth0Like } from '@slo-hub/client/auth0';
import { endFrontchannelSession } from '@slo-hub/client/frontchannel';
import { defineElements, type SignedOutNoticeElement } from '@slo-hub/client/elements';
import { withOidc } from '@slo-hub/client/oidc';
declare const auth0: Auth0Like;
const options = { hub: 'https://logout.example.com', onSignedOut: (event: SignedOutEvent) => console.log(event.reason) };
export const slo = withAuth0(auth0, options);
export const ready: Promise<SloState> = createSlo({ ...options, getToken: () => null }).ready;
slo.on('error', (error) => console.log(error instanceof SloError && error.code));
slo.on('idle-warning', ({ secondsLeft }) => secondsLeft.toFixed());
defineElements();
export const notice: SignedOutNoticeElement | null = document.querySelector('slo-signed-out');
export const told: Promise<boolean> = endFrontchannelSession({ hub: options.hub, signOut: () => {} }).then((result) => result.acknowledged);
export type Manager = Parameters<typeof withOidc>[0];
`;
