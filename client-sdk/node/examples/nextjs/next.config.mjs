/** @type {import('next').NextConfig} */
export default {
  // Node loads these as they are: a native part cannot be bundled.
  serverExternalPackages: ['better-sqlite3', '@slo-hub/node'],
};
