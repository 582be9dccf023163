import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import express from 'express';
import { auth } from 'express-openid-connect';
import { close, listen } from '@slo-hub-demo/shared/loopback';
import { backchannelLogout, verifyHubLogoutToken } from '@slo-hub/node';
import { cookieSecret, openDatabase, SqliteStore } from './database.js';
import { faultPage, signedOutPage, ticketsPage, welcomePage } from './pages.js';
import { ticketsAt } from './tickets.js';

const SESSION = 'desk_session';
/** Remembers over the way through the hub that this browser has signed out here. */
const LEAVING = 'desk_leaving';
const LEAVING_MS = 10 * 60 * 1000;

/**
 * A support desk as such apps have been written for long: pages from the server, a cookie that names a session in a
 * database, and no script in the browser.
 *
 * @param {object} options
 * @param {number} options.port where it listens, on 127.0.0.1
 * @param {string} options.url what browsers call it
 * @param {string} options.issuer
 * @param {string} options.clientId its client at the issuer
 * @param {string} options.clientSecret
 * @param {string} options.hub
 * @param {string} options.database the file of its database
 * @param {{name: string, url: string}[]} [options.siblings] the other apps of the company
 */
export async function createDesk(options) {
  const database = openDatabase(options.database);
  const logouts = backchannelLogout({ store: new SqliteStore(database, 'logout_marks') });
  const app = express();
  app.disable('x-powered-by');
  app.use(securityHeaders(options));
  app.use(await assets());
  app.use(toldByHub(options, logouts));
  app.use(signInWith(options, database, logouts));
  app.use(pages(options));
  app.use(notFound);
  app.use(broken);
  const server = http.createServer(app);
  return {
    listen: () => listen(server, options.port),
    async close() {
      await close(server);
      database.close();
    },
  };
}

/**
 * `POST /hub-logout`: the hub's own logout tokens. It sends one of every logout, also of those that the issuer keeps to
 * itself, such as a session that was revoked there.
 */
function toldByHub({ hub, issuer, clientId }, logouts) {
  const router = express.Router();
  router.post('/hub-logout', express.urlencoded({ extended: false }), async (req, res) => {
    res.set('Cache-Control', 'no-store');
    try {
      const logout = await verifyHubLogoutToken(req.body?.logout_token, { hub, clientId, issuer });
      await logouts.onLogoutToken(logout, {});
      res.sendStatus(204);
    } catch (error) {
      // Only a token that breaks a rule is not to come again.
      res.sendStatus(error.code === 'invalid_token' ? 400 : 503);
    }
  });
  return router;
}

/** All there is to signing in, and to being signed out by the issuer's own logout token at `POST /backchannel-logout`. */
function signInWith({ issuer, url, clientId, clientSecret }, database, logouts) {
  return auth({
    issuerBaseURL: issuer,
    baseURL: url,
    clientID: clientId,
    clientSecret,
    secret: cookieSecret(database),
    authRequired: false,
    authorizationParams: { response_type: 'code', scope: 'openid profile email' },
    routes: { logout: false },
    session: { name: SESSION, store: new SqliteStore(database, 'sessions'), signSessionStoreCookie: true },
    transactionCookie: { name: 'desk_signing_in' },
    backchannelLogout: logouts,
    enableTelemetry: false,
  });
}

function pages({ url, hub, clientId, siblings = [] }) {
  const router = express.Router();

  router.get('/', (req, res) => {
    res.set('Cache-Control', 'no-store');
    if (!req.oidc.isAuthenticated()) {
      // It had a session a moment ago, or this browser would not name one.
      const hadOne = req.headers.cookie?.includes(`${SESSION}=`) ?? false;
      res.send(hadOne ? signedOutPage('Your session has ended.') : welcomePage());
      return;
    }
    const { name, email } = req.oidc.user;
    const leaving = {
      id_token_hint: req.oidc.idToken,
      client_id: clientId,
      post_logout_redirect_uri: `${url}/signed-out`,
      state: randomUUID(),
    };
    res.send(ticketsPage({ person: { name: name ?? email }, tickets: ticketsAt(Date.now()), siblings, leaving }));
  });

  // Desk's own session ends first, so that nothing keeps a person signed in here. 307: then the browser posts the
  // same form to the hub, with the ID token in its body and not in an address.
  router.post('/sign-out', express.urlencoded({ extended: false }), (req, res) => {
    if (req.get('origin') !== new URL(url).origin) return void fault(res, 403, FOREIGN);
    req[SESSION] = undefined;
    res.cookie(LEAVING, String(req.body?.state ?? ''), { httpOnly: true, sameSite: 'lax', maxAge: LEAVING_MS, path: '/signed-out' });
    res.redirect(307, new URL('/logout', hub).href);
  });

  router.get('/signed-out', (req, res) => {
    res.set('Cache-Control', 'no-store');
    if (req.oidc.isAuthenticated()) return void res.redirect(303, '/');
    const { state } = req.query;
    const isOurs = typeof state === 'string' && state !== '' && cookieOf(req, LEAVING) === state;
    res.clearCookie(LEAVING, { path: '/signed-out' });
    res.send(signedOutPage(isOurs ? 'You signed out in Desk.' : 'Your session has ended.'));
  });
  return router;
}

function cookieOf(req, name) {
  const pair = req.headers.cookie?.split('; ').find((one) => one.startsWith(`${name}=`));
  return pair?.slice(name.length + 1);
}

const FOREIGN = { title: 'That did not come from Desk', text: 'Nobody was signed out. Use the button on Desk’s own page.' };
const UNKNOWN = { title: 'There is no such page', text: 'The address may have a mistake in it.' };
const REFUSED = { title: 'We could not sign you in', text: 'The sign-in was not finished, or was started in another browser.' };
const BROKEN = { title: 'Something went wrong', text: 'Desk, or the sign-in service, has trouble. Try again in a moment.' };

function fault(res, status, what) {
  res.status(status).set('Cache-Control', 'no-store').send(faultPage(what));
}

function notFound(_req, res) {
  fault(res, 404, UNKNOWN);
}

/** Express knows an error handler by its four parameters. */
function broken(error, _req, res, next) {
  if (res.headersSent) return next(error);
  const status = error.statusCode >= 400 && error.statusCode < 500 ? error.statusCode : 500;
  // The name alone: what libraries say of a failed sign-in can hold what was sent.
  if (status === 500) console.error('desk:', error.name, error.code ?? '');
  fault(res, status, status === 500 ? BROKEN : REFUSED);
  return undefined;
}

/** Form actions are checked over redirects too: a sign-out goes to the hub, from there to the issuer, and comes back. */
function securityHeaders({ hub, issuer }) {
  const origins = [hub, issuer].map((address) => new URL(address).origin).join(' ');
  const policy = `default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self' ${origins}`;
  return (_req, res, next) => {
    res.set({ 'Content-Security-Policy': policy, 'Referrer-Policy': 'strict-origin-when-cross-origin', 'X-Content-Type-Options': 'nosniff' });
    next();
  };
}

async function assets() {
  const parts = [import.meta.resolve('@slo-hub-demo/shared/styles.css'), new URL('../public/desk.css', import.meta.url)];
  const css = (await Promise.all(parts.map((part) => readFile(new URL(part), 'utf8')))).join('\n');
  const icon = await readFile(new URL('../public/icon.svg', import.meta.url));
  const router = express.Router();
  router.get('/assets/desk.css', (_req, res) => void res.type('css').set('Cache-Control', 'no-cache').send(css));
  router.get('/icon.svg', (_req, res) => void res.type('svg').set('Cache-Control', 'no-cache').send(icon));
  return router;
}
