import { randomBytes } from 'node:crypto';
import http from 'node:http';
import { close, listen } from '@slo-hub-demo/shared/loopback';
import { Backchannel } from './backchannel.js';
import { Clients } from './clients.js';
import { Keys } from './keys.js';
import { styleRoute } from './pages/pages.js';
import { buildProvider } from './provider.js';
import { accountRoutes } from './routes/account.js';
import { loginRoutes } from './routes/login.js';
import { logoutRoutes } from './routes/logout.js';
import { managementRoutes } from './routes/management.js';
import { router } from './routes/router.js';
import { Sessions } from './sessions.js';
import { MemoryStore } from './store.js';

/**
 * A stand-in for an Auth0 tenant: a certified OpenID provider behind Auth0's paths, with
 * its session handling, its back-channel logout and the matching part of its Management API.
 *
 * @param {object} options
 * @param {number} options.port where it listens, on 127.0.0.1
 * @param {string} [options.issuer] `http://localhost:PORT/` unless said otherwise; ends in a slash, as Auth0's do
 * @param {object[]} options.clients applications, in the Management API's words
 * @param {{id: string, name: string, email: string}[]} options.users who can sign in
 * @param {string} [options.hubUrl] where back-channel logout tokens go for clients that name no address of their own
 * @param {{session?: number, idToken?: number, accessToken?: number}} [options.ttl] lifetimes, in seconds
 * @param {typeof fetch} [options.fetch] what sends logout tokens
 * @param {object} [options.state] what an earlier tenant's `snapshot()` returned
 */
export async function createTenant({ port, issuer = `http://localhost:${port}/`, clients, users, hubUrl, ttl = {}, fetch, state = {} }) {
  const keys = new Keys(state.keys);
  await keys.ready();
  const tenant = { issuer, users, ttl, keys, store: new MemoryStore(state.store) };
  tenant.cookieName = `tenant${port}`;
  tenant.cookieKeys = state.cookieKeys ?? [randomBytes(32).toString('base64url')];
  tenant.clients = new Clients(hubUrl ? clients.map((one) => sendToHub(one, hubUrl)) : clients, issuer);
  tenant.backchannel = new Backchannel({ clients: tenant.clients, keys, issuer, fetch });
  tenant.sessions = new Sessions({ store: tenant.store, backchannel: tenant.backchannel });
  tenant.currentSession = (ctx) => tenant.sessions.byCookie(ctx.cookies.get(tenant.cookieName));
  let handle = rebuild(tenant);
  const server = http.createServer((req, res) => handle(req, res));

  return {
    issuer,
    sessions: tenant.sessions,
    clients: tenant.clients,
    backchannel: tenant.backchannel,
    listen: () => listen(server, port),
    snapshot: () => ({ keys: keys.snapshot(), store: tenant.store.snapshot(), cookieKeys: tenant.cookieKeys }),
    async close() {
      await tenant.backchannel.settled();
      await close(server);
    },
    /** Signs any claims with the tenant's key: for tests that need a token of a certain shape. */
    sign: (claims, { typ = 'JWT' } = {}) => keys.sign(claims, { typ }),
    /** Signs with a new key from now on; with `forgetOld`, the JWKS no longer lists the former ones. */
    async rotateKeys(options) {
      await keys.rotate(options);
      handle = rebuild(tenant);
    },
  };
}

function rebuild(tenant) {
  tenant.provider = buildProvider(tenant);
  tenant.provider.use(
    router([
      styleRoute,
      ...loginRoutes(tenant),
      ...logoutRoutes(tenant),
      ...accountRoutes(tenant),
      ...managementRoutes(tenant),
    ]),
  );
  return tenant.provider.callback();
}

/** At Auth0 an application has one back-channel logout URL, and here the hub is it. */
function sendToHub(client, hubUrl) {
  if (client.app_type === 'non_interactive' || client.oidc_logout) return client;
  const url = new URL('/backchannel-logout', hubUrl).href;
  return { ...client, oidc_logout: { backchannel_logout_urls: [url] } };
}
