/**
 * Builds the docs' apps for React, Vue and Angular as they are to be pasted, so that they can be run in a browser
 * against a tenant and a hub.
 */
import { build } from 'esbuild';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileScript, parse } from 'vue/compiler-sfc';

const HERE = fileURLToPath(new URL('.', import.meta.url));

/** What an app begins with, and the element that it takes over: every framework's starter has that one in its page. */
const FRAMEWORKS = {
  react: { main: 'react/src/main.tsx', element: '<div id="root"></div>' },
  vue: { main: 'vue/src/main.ts', element: '<div id="app"></div>' },
  // Without a build by Angular's own tools, templates are compiled in the browser.
  angular: { main: 'angular/src/main.ts', element: '<app-root></app-root>', before: '@angular/compiler' },
};

/** What the docs ask to be put in, and how it is written there. */
const SETTINGS = {
  domain: /(["'])acme\.eu\.auth0\.com\1/g,
  clientId: /(["'])notes\1/g,
  hub: /(["'])https:\/\/logout\.example\.com\1/g,
  reason: /(["'])You signed out in Notes\1/g,
};

/**
 * One app of the docs, as its framework's development server would serve it: only there does React's StrictMode mount
 * twice, and do frameworks warn.
 *
 * @param {'react' | 'vue' | 'angular'} framework
 * @param {Record<'domain' | 'clientId' | 'hub' | 'reason', string>} settings what takes the place of the docs' own:
 *   each must stand there exactly once
 * @returns {Promise<{script: string, element: string}>} an ES module, and the HTML that has to be in its page
 */
export async function bundleExample(framework, settings) {
  const { main, element, before } = FRAMEWORKS[framework];
  const left = new Set(Object.keys(SETTINGS));
  const { outputFiles } = await build({
    entryPoints: [main],
    absWorkingDir: HERE,
    bundle: true,
    format: 'esm',
    target: ['es2022'],
    define: { __VUE_OPTIONS_API__: 'true', __VUE_PROD_DEVTOOLS__: 'false', __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'false' },
    plugins: [pasted((text) => putIn(text, settings, left), before && { [path.join(HERE, main)]: before })],
    write: false,
    logLevel: 'warning',
  });
  if (left.size > 0) throw new Error(`The ${framework} example has no ${[...left].join(', ')} to be put in.`);
  return { script: outputFiles[0].text, element };
}

/** Takes the files of the examples in as somebody does who pastes them; `before` has what is to be imported first in a file. */
function pasted(change, before = {}) {
  return {
    name: 'pasted',
    setup({ onLoad }) {
      onLoad({ filter: /\/examples\/\w+\/src\/.*\.(tsx?|vue)$/ }, async ({ path: file }) => {
        const text = change(await readFile(file, 'utf8'));
        const kind = path.extname(file).slice(1);
        if (kind === 'vue') return { contents: compileSfc(text, file), loader: 'ts' };
        return { contents: file in before ? `import '${before[file]}';\n${text}` : text, loader: kind };
      });
    },
  };
}

function putIn(text, settings, left) {
  let result = text;
  for (const [name, place] of Object.entries(SETTINGS)) {
    result = result.replace(place, () => {
      if (!left.delete(name)) throw new Error(`The ${name} stands in the example more than once.`);
      return JSON.stringify(settings[name]);
    });
  }
  return result;
}

/** A single-file component without styles, as a module. */
function compileSfc(text, file) {
  const { descriptor, errors } = parse(text, { filename: file });
  if (errors.length > 0) throw errors[0];
  return compileScript(descriptor, { id: path.basename(file), inlineTemplate: true }).content;
}
