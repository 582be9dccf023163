import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { launch } from '../portal/launch.mjs';
import { DEMO_DESK, DEMO_PORTAL } from '../tenant/lib/demo.js';

export const DEMO = fileURLToPath(new URL('..', import.meta.url));
export const ROOT = path.join(DEMO, '..');
export const VAR = path.join(DEMO, 'var');

/** What listens where. `hub.toml` says the same of the hub. */
export const PORTS = { hub: 4000, tenant: 4001, admin: 4002, notes: 4010, shop: 4011, desk: 4012, portal: 4013 };

/** `hub.toml` has it too. Good on this machine only. */
const PORTAL_AT_THE_HUB = 'demo-only-secret-of-portal-at-the-hub';

export const URLS = {
  hub: `http://localhost:${PORTS.hub}`,
  issuer: `http://localhost:${PORTS.tenant}/`,
  sessions: `http://localhost:${PORTS.hub}/sessions`,
  notes: `http://notes.localhost:${PORTS.notes}`,
  shop: `http://shop.localhost:${PORTS.shop}`,
  desk: `http://desk.localhost:${PORTS.desk}`,
  portal: `http://portal.localhost:${PORTS.portal}`,
};

/** The programs, each with the address that answers once it is ready. */
export function parts({ hubBinary }) {
  const node = process.execPath;
  return [
    {
      name: 'hub',
      title: 'hub',
      command: [hubBinary, 'serve', '--config', path.join(DEMO, 'hub.toml')],
      ready: `http://127.0.0.1:${PORTS.admin}/readyz`,
    },
    {
      name: 'tenant',
      title: 'tenant',
      command: [
        node,
        path.join(DEMO, 'tenant/bin/tenant.js'),
        ...['--port', String(PORTS.tenant), '--state', path.join(VAR, 'tenant.json')],
        ...['--hub', URLS.hub, '--notes', URLS.notes, '--shop', URLS.shop, '--desk', URLS.desk, '--portal', URLS.portal],
      ],
      ready: `http://127.0.0.1:${PORTS.tenant}/.well-known/openid-configuration`,
    },
    app({ name: 'notes', title: 'Notes app' }, { name: 'Shop', url: URLS.shop }),
    app({ name: 'shop', title: 'Shop app' }, { name: 'Notes', url: URLS.notes }),
    desk(),
    portal(),
  ];
}

/** The apps that Desk and Portal link to. */
const SIBLINGS = [
  { name: 'Notes', url: URLS.notes },
  { name: 'Shop', url: URLS.shop },
];

function desk() {
  const config = {
    ...{ port: PORTS.desk, url: URLS.desk, issuer: URLS.issuer, hub: URLS.hub, siblings: SIBLINGS },
    ...{ clientId: DEMO_DESK.client_id, clientSecret: DEMO_DESK.client_secret, database: path.join(VAR, 'desk.db') },
  };
  return {
    name: 'desk',
    title: 'Desk app',
    command: [process.execPath, path.join(DEMO, 'desk/bin/desk.js'), '--config', JSON.stringify(config)],
    ready: `http://127.0.0.1:${PORTS.desk}/`,
  };
}

function portal() {
  return {
    name: 'portal',
    title: 'Portal app',
    ...launch({
      ...{ port: PORTS.portal, url: URLS.portal, issuer: URLS.issuer, hub: URLS.hub, siblings: SIBLINGS },
      ...{ clientId: DEMO_PORTAL.client_id, clientSecret: DEMO_PORTAL.client_secret, hubSecret: PORTAL_AT_THE_HUB },
      database: path.join(VAR, 'portal.db'),
    }),
    ready: `http://127.0.0.1:${PORTS.portal}/`,
  };
}

function app({ name, title }, sibling) {
  const config = { hub: URLS.hub, issuer: URLS.issuer, clientId: `spa-${name}`, sibling };
  return {
    name,
    title,
    command: [
      process.execPath,
      path.join(DEMO, 'serve/bin/serve.js'),
      ...['--dir', path.join(DEMO, name, 'dist'), '--port', String(PORTS[name])],
      ...['--config', JSON.stringify(config)],
    ],
    ready: `http://127.0.0.1:${PORTS[name]}/`,
  };
}
