import { createHash, randomBytes } from 'node:crypto';
import http from 'node:http';
import { until } from './until.js';

/**
 * A small server-rendered app: its session is a cookie, it signs people in at the tenant by the
 * code flow, and its "Sign out" is a form that goes to the hub. No script runs on its pages.
 * A story can put pages of its own on it.
 */
export class Site {
  /** Every request so far. */
  asked = [];
  #server;
  #pages = new Map();
  #signingIn = new Map();
  #sessions = new Map();

  constructor({ name, port, hub, issuer }) {
    Object.assign(this, { name, port, hub, issuer });
    this.clientId = `site-${name.toLowerCase()}`;
    this.secret = `a-secret-of-${this.clientId}-for-one-run`;
    this.origin = `http://${name.toLowerCase()}.localhost:${port}`;
    this.goodbye = `${this.origin}/goodbye`;
    this.#server = http.createServer((req, res) => this.#answer(req, res));
    this.serve('/', (req, res) => sendPage(res, this.#home(this.#sessionOf(req))));
    this.serve('/sign-in', (_req, res) => redirect(res, this.#signInUrl()));
    this.serve('/callback', (req, res, url) => this.#signedIn(res, url));
    this.serve('/goodbye', (_req, res) => sendPage(res, `<h1>Goodbye from ${name}</h1>`));
  }

  /** Puts a page at a path: HTML, or what answers a request. */
  serve(path, page) {
    this.#pages.set(path, typeof page === 'string' ? (_req, res) => sendPage(res, page) : page);
  }

  /** Ends the session whose cookie comes along, as the app's own sign-out does. */
  endSession(req, res) {
    this.#sessions.delete(cookieOf(req));
    res.setHeader('Set-Cookie', 'who=; Max-Age=0; Path=/');
  }

  /** Ends every session whose ID token says so. */
  endSessionsWhere(isMeant) {
    for (const [cookie, idToken] of this.#sessions) {
      const claims = JSON.parse(Buffer.from(idToken.split('.')[1], 'base64url').toString());
      if (isMeant(claims)) this.#sessions.delete(cookie);
    }
  }

  /** The requests for a path, as URLs. */
  asksFor(path) {
    return this.asked.map((url) => new URL(url, this.origin)).filter((url) => url.pathname === path);
  }

  /** Signs a person in, in a new tab. */
  async signIn(person) {
    const page = await person.context.newPage();
    await page.goto(`${this.origin}/sign-in`);
    const choice = page.getByRole('button', { name: person.name });
    const inside = page.getByRole('heading', { name: this.name, exact: true });
    await choice.or(inside).first().waitFor();
    if (!(await inside.isVisible())) await choice.click();
    await inside.waitFor();
    return page;
  }

  /** The ID token of whoever is signed in here with the cookies of this context. */
  async idToken(context) {
    const cookies = await context.cookies(this.origin);
    return this.#sessions.get(cookies.find(({ name }) => name === 'who')?.value);
  }

  /** The address of the hub that ends this person's session, with a hint. */
  async logoutUrl(context, { state, redirect: back = this.goodbye } = {}) {
    const hint = await this.idToken(context);
    return `${this.hub}/logout?${this.#query({ id_token_hint: hint, post_logout_redirect_uri: back, state })}`;
  }

  listen() {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.port, '127.0.0.1', resolve);
    });
  }

  close() {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(req, res) {
    this.asked.push(req.url);
    const url = new URL(req.url, this.origin);
    const page = this.#pages.get(url.pathname);
    if (page === undefined) return res.writeHead(404).end();
    return page(req, res, url);
  }

  #home(idToken) {
    if (idToken === undefined) return `<h1>Welcome to ${this.name}</h1><a href="/sign-in">Sign in</a>`;
    const fields = { id_token_hint: idToken, post_logout_redirect_uri: this.goodbye, state: `left-${this.name}` };
    const inputs = Object.entries(fields).map(([name, value]) => `<input type="hidden" name="${name}" value="${value}">`);
    const link = `${this.hub}/logout?client_id=${this.clientId}`.replaceAll('&', '&amp;');
    return `<h1>${this.name}</h1><p>Signed in</p><a href="${link}">Leave</a>
      <form method="post" action="${this.hub}/logout">${inputs.join('')}<button>Sign out</button></form>`;
  }

  #signInUrl() {
    const [state, verifier] = [randomBytes(16).toString('hex'), randomBytes(32).toString('base64url')];
    this.#signingIn.set(state, verifier);
    const challenge = createHash('sha256').update(verifier).digest('base64url');
    return `${this.issuer}authorize?${this.#query({
      response_type: 'code',
      scope: 'openid',
      redirect_uri: `${this.origin}/callback`,
      state,
      code_challenge: challenge,
      code_challenge_method: 'S256',
    })}`;
  }

  async #signedIn(res, url) {
    const verifier = this.#signingIn.get(url.searchParams.get('state'));
    const form = this.#query({
      grant_type: 'authorization_code',
      client_secret: this.secret,
      code: url.searchParams.get('code'),
      redirect_uri: `${this.origin}/callback`,
      code_verifier: verifier,
    });
    const answer = await fetch(`${this.issuer}oauth/token`, { method: 'POST', body: form });
    const { id_token: idToken } = await answer.json();
    const cookie = randomBytes(16).toString('hex');
    this.#sessions.set(cookie, idToken);
    res.setHeader('Set-Cookie', `who=${cookie}; HttpOnly; SameSite=Lax; Path=/`);
    redirect(res, `${this.origin}/`);
  }

  #query(params) {
    const given = Object.entries(params).filter(([, value]) => value !== undefined);
    return new URLSearchParams([['client_id', this.clientId], ...given]);
  }

  #sessionOf(req) {
    return this.#sessions.get(cookieOf(req));
  }
}

/** Waits until the browser is at an address, whatever way it got there. */
export function arrives(page, address) {
  return until(`the browser is at ${address}`, () => page.url().split('?')[0] === address);
}

export function sendPage(res, body, status = 200) {
  const text = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Page</title>${body}`;
  res.writeHead(status, { 'Content-Type': 'text/html; charset=utf-8' }).end(text);
}

export function redirect(res, location) {
  res.writeHead(303, { Location: location }).end();
}

function cookieOf(req) {
  return /(?:^|; )who=([0-9a-f]+)/.exec(req.headers.cookie ?? '')?.[1];
}
