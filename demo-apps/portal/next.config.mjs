import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The SDK's package lies outside of the folder with the lock file, so the bundler has to look from further up. */
const ROOT = path.join(path.dirname(fileURLToPath(import.meta.url)), '../..');

/** @type {import('next').NextConfig} */
export default {
  poweredByHeader: false,
  turbopack: { root: ROOT },
  outputFileTracingRoot: ROOT,
  // Loaded by Node as they are: a native part cannot be bundled, and sockets need not be.
  serverExternalPackages: ['better-sqlite3', '@slo-hub/node', 'ws'],
  // `npm run check` does it, for every app.
  typescript: { ignoreBuildErrors: true },
};
