/**
 * Builds the package: `dist/` for bundlers, and `dist-iife/` for `<script>` tags, which is kept in git
 * because the hub carries it and is built without Node. With `--dist`, only the first.
 */
import { build } from 'esbuild';
import { rm, writeFile, mkdir } from 'node:fs/promises';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));
/**
 * Members of our own objects that only our own modules use: the output has a letter for each. None may be a member
 * of a public type, of what is stored or sent, or of anything of the browser's that the sources touch.
 */
export const INTERNAL = [
  'base', 'begin', 'closed', 'draw', 'emit', 'failed', 'find', 'finish', 'forget', 'freezes', 'heard', 'keep',
  'leaves', 'letGo', 'lift', 'liftWithin', 'loosen', 'moved', 'nobodySignedIn', 'online', 'post',
  'returns', 'goes', 'shows', 'stream', 'tell', 'voice',
];

/** The modules of the `exports` map. */
const MODULES = [
  'index',
  'auth0',
  'angular',
  'elements',
  'oidc',
  'react',
  'frontchannel',
  'vue',
];

const COMMON = {
  absWorkingDir: HERE,
  bundle: true,
  // A framework is the app's own; there are no others.
  packages: 'external',
  minify: true,
  mangleProps: new RegExp(`^(${INTERNAL.join('|')})$`),
  target: ['es2022'],
  charset: 'utf8',
  legalComments: 'none',
  logLevel: 'warning',
};

/** Builds those modules, with what they share in chunks of their own. */
export async function buildModules() {
  const split = { format: 'esm', sourcemap: true, outdir: 'dist' };
  const { metafile } = await build({
    ...COMMON,
    ...split,
    entryPoints: MODULES.map((name) => `src/${name}.ts`),
    splitting: true,
    metafile: true,
  });
  // The same modules once more, each by itself: see the plugin.
  await build({
    ...COMMON,
    ...split,
    entryPoints: Object.keys(metafile.outputs).filter((file) => file.endsWith('.js')),
    mangleProps: undefined,
    plugins: [WITHOUT_BARE_IMPORTS],
    allowOverwrite: true,
  });
}

/**
 * For the order in which modules run, esbuild has a module import every chunk that it reaches, also for no name at all.
 * Nothing here depends on that order: the package says `sideEffects: false`, so bundlers leave such imports out, and
 * some of them warn of each.
 */
const WITHOUT_BARE_IMPORTS = {
  name: 'without-bare-imports',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/chunk-/ }, ({ path }) => ({ path, external: true, sideEffects: false }));
  },
};

/** One module with all that it needs, as an app's bundler would take it in. */
export async function buildAlone(entry) {
  const { outputFiles } = await build({ ...COMMON, entryPoints: [entry], format: 'esm', write: false });
  return outputFiles[0].text;
}

/** What is for `<script>` tags: `slo-hub.js` makes the global `SloHub`, the other one defines the elements. */
export const SCRIPTS = [
  ['slo-hub.js', { entryPoints: ['src/iife.ts'], globalName: 'SloHub' }],
  ['slo-hub-elements.js', { entryPoints: ['src/elements-iife.ts'] }],
];

/** The text of one of those scripts. */
export async function buildScript(what) {
  const { outputFiles } = await build({
    ...COMMON,
    ...what,
    format: 'iife',
    write: false,
    banner: { js: '/*! slo-hub browser SDK | MIT OR Apache-2.0 */' },
  });
  return outputFiles[0].text;
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  await rm(`${HERE}dist`, { recursive: true, force: true });
  await buildModules();
  if (!argv.includes('--dist')) {
    await mkdir(`${HERE}dist-iife`, { recursive: true });
    for (const [name, what] of SCRIPTS) await writeFile(`${HERE}dist-iife/${name}`, await buildScript(what));
  }
}
