import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));

/**
 * How Portal is started, once it is built. What differs from one Portal to another goes with it as environment.
 *
 * @param {object} options
 * @param {number} options.port where it listens, on 127.0.0.1
 * @param {string} options.url what browsers call it
 * @param {string} options.issuer
 * @param {string} options.clientId its client at the issuer, and at the hub
 * @param {string} options.clientSecret
 * @param {string} options.hub
 * @param {string} [options.hubSecret] its secret at the hub; without one it does not follow the hub's log
 * @param {string} options.database the file of its database
 * @param {{name: string, url: string}[]} [options.siblings] the other apps of the company
 * @returns {{command: string[], env: Record<string, string>}}
 */
export function launch({ port, url, issuer, clientId, clientSecret, hub, hubSecret, database, siblings = [] }) {
  const next = createRequire(import.meta.url).resolve('next/dist/bin/next');
  return {
    command: [process.execPath, next, 'start', HERE, '--port', String(port), '--hostname', '127.0.0.1'],
    env: {
      NEXT_TELEMETRY_DISABLED: '1',
      APP_BASE_URL: url,
      AUTH0_DOMAIN: issuer,
      AUTH0_CLIENT_ID: clientId,
      AUTH0_CLIENT_SECRET: clientSecret,
      SLO_HUB: hub,
      ...(hubSecret && { SLO_HUB_SECRET: hubSecret }),
      PORTAL_DATABASE: database,
      PORTAL_SIBLINGS: JSON.stringify(siblings),
    },
  };
}
