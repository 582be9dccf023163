import { createHash, randomBytes } from 'node:crypto';

/** Enough of a browser for an OpenID provider: cookies, and redirects followed by hand. */
export class Browser {
  #cookies = new Map();
  #issuer;

  constructor(issuer) {
    this.#issuer = issuer;
  }

  async request(url, options = {}) {
    const target = new URL(url, this.#issuer);
    const headers = { cookie: this.#cookieHeader(target), 'user-agent': 'Test/1.0 (Linux) Firefox/140.0', ...options.headers };
    const response = await fetch(target, { ...options, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) this.#keep(line);
    return response;
  }

  /** Follows redirects inside the tenant; returns the first response that leads out or is a page. */
  async visit(url, options) {
    let response = await this.request(url, options);
    for (;;) {
      const location = response.headers.get('location');
      if (!location || !new URL(location, this.#issuer).href.startsWith(this.#issuer)) return response;
      response = await this.request(location);
    }
  }

  submit(path, fields) {
    return this.visit(path, {
      method: 'POST',
      body: new URLSearchParams(fields),
      headers: { origin: new URL(this.#issuer).origin },
    });
  }

  /** The authorization code flow with PKCE, as a single-page app does it. */
  async signIn(client, user) {
    const verifier = randomBytes(32).toString('base64url');
    let response = await this.visit(authorizeUrl(client, verifier));
    if (response.headers.get('location') === null) response = await this.submit('/u/login', { user });
    return this.redeem(client, verifier, new URL(response.headers.get('location')));
  }

  /** Is somebody signed in? As a web application asks it, which has a secret; nobody sees a page. */
  async askWho(client) {
    const verifier = randomBytes(32).toString('base64url');
    const response = await this.visit(authorizeUrl(client, verifier, { prompt: 'none', scope: 'openid' }));
    return this.redeem(client, verifier, new URL(response.headers.get('location')));
  }

  redeem(client, verifier, { searchParams }) {
    if (searchParams.has('error')) return { error: searchParams.get('error') };
    const { client_id: id, client_secret: secret } = client;
    return this.token(
      {
        grant_type: 'authorization_code',
        ...(secret === undefined && { client_id: id }),
        redirect_uri: client.callbacks[0],
        code: searchParams.get('code'),
        code_verifier: verifier,
      },
      secret && { authorization: `Basic ${btoa(`${id}:${secret}`)}` },
    );
  }

  async token(fields, headers = {}) {
    const body = new URLSearchParams(fields);
    const response = await fetch(new URL('/oauth/token', this.#issuer), { method: 'POST', body, headers });
    return response.json();
  }

  #cookieHeader({ pathname }) {
    return [...this.#cookies]
      .filter(([, { path }]) => pathname.startsWith(path))
      .map(([name, { value }]) => `${name}=${value}`)
      .join('; ');
  }

  #keep(line) {
    const [pair, ...attributes] = line.split('; ');
    const [name, value] = pair.split(/=(.*)/s);
    const path = attributes.find((one) => one.toLowerCase().startsWith('path='))?.slice(5) ?? '/';
    if (value === '') this.#cookies.delete(name);
    else this.#cookies.set(name, { value, path });
  }
}

export function authorizeUrl(client, verifier, extra = {}) {
  const query = new URLSearchParams({
    client_id: client.client_id,
    redirect_uri: client.callbacks[0],
    response_type: 'code',
    response_mode: 'query',
    scope: 'openid profile email offline_access',
    state: 'abc',
    nonce: 'n-1',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...extra,
  });
  return `/authorize?${query}`;
}
