import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose';

const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout';
export const CLIENT = { id: 'desk', secret: 'a-secret-at-the-provider-of-32-letters' };

/** Somebody who signs tokens, and shows the key. */
abstract class Signer {
  url = '';
  #server: Server | undefined;
  #key: CryptoKey | undefined;
  #jwk: object | undefined;

  protected constructor(private readonly alg: 'RS256' | 'ES256') {}

  async start(): Promise<this> {
    const { publicKey, privateKey } = await generateKeyPair(this.alg);
    this.#key = privateKey;
    this.#jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: this.alg, use: 'sig' };
    this.#server = createServer((req, res) => void this.#serve(req, res)).listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    this.url = `http://localhost:${(this.#server.address() as AddressInfo).port}`;
    return this;
  }

  close(): void {
    this.#server?.closeAllConnections();
    this.#server?.close();
  }

  protected abstract answer(req: IncomingMessage, res: ServerResponse): Promise<unknown>;

  protected sign(claims: object, issuer: string, typ = 'JWT'): Promise<string> {
    const token = new SignJWT({ ...claims }).setProtectedHeader({ alg: this.alg, kid: 'k1', typ });
    return token.setIssuer(issuer).setAudience(CLIENT.id).setIssuedAt().setExpirationTime('2m').sign(this.#key!);
  }

  async #serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const body = req.url === '/.well-known/jwks.json' ? { keys: [this.#jwk] } : await this.answer(req, res);
    if (body) res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    else if (!res.writableEnded) res.writeHead(404).end();
  }
}

/** An OpenID provider where everybody is signed in already, in the session of their `device` cookie. */
export class Provider extends Signer {
  #codes = new Map<string, { readonly sid: string; readonly nonce: string }>();

  constructor() {
    super('RS256');
  }

  get issuer(): string {
    return `${this.url}/`;
  }

  /** What it posts to an app when that session, or everything of Ada's, has ended. */
  logoutToken(whose: { readonly sid?: string; readonly sub?: string }): Promise<string> {
    const claims = { ...whose, jti: crypto.randomUUID(), events: { [LOGOUT_EVENT]: {} } };
    return this.sign(claims, this.issuer, 'logout+jwt');
  }

  protected override async answer(req: IncomingMessage, res: ServerResponse): Promise<unknown> {
    const { pathname, searchParams } = new URL(req.url!, this.url);
    if (pathname === '/.well-known/openid-configuration') return this.#metadata();
    if (pathname === '/authorize') return void this.#authorize(searchParams, req, res);
    if (pathname === '/token') return this.#token(req);
    return undefined;
  }

  #metadata(): object {
    const { issuer, url } = this;
    return {
      issuer,
      authorization_endpoint: `${url}/authorize`,
      token_endpoint: `${url}/token`,
      jwks_uri: `${url}/.well-known/jwks.json`,
      response_types_supported: ['code'],
      id_token_signing_alg_values_supported: ['RS256'],
      code_challenge_methods_supported: ['S256'],
    };
  }

  #authorize(asked: URLSearchParams, req: IncomingMessage, res: ServerResponse): void {
    const code = crypto.randomUUID();
    const [, sid] = /device=(\w+)/.exec(req.headers.cookie ?? '') ?? [];
    this.#codes.set(code, { sid: sid!, nonce: asked.get('nonce')! });
    const back = new URL(asked.get('redirect_uri')!);
    for (const [name, value] of Object.entries({ code, state: asked.get('state') ?? '' })) back.searchParams.set(name, value);
    res.writeHead(302, { location: back.href }).end();
  }

  async #token(req: IncomingMessage): Promise<object> {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    const code = new URLSearchParams(Buffer.concat(chunks).toString()).get('code')!;
    const claims = { sub: 'auth0|ada', ...this.#codes.get(code) };
    return { access_token: 'a', token_type: 'Bearer', expires_in: 600, id_token: await this.sign(claims, this.issuer) };
  }
}

/** The hub, as far as an app needs it that verifies its tokens. */
export class SigningHub extends Signer {
  constructor() {
    super('ES256');
  }

  logoutToken(whose: { readonly sid?: string; readonly sub?: string }): Promise<string> {
    const claims = { ...whose, jti: crypto.randomUUID(), txn: '01JD6ZKQ3V8M4T9XW2C5B7N0RE', events: { [LOGOUT_EVENT]: {} } };
    return this.sign(claims, this.url, 'logout+jwt');
  }

  protected override async answer(): Promise<undefined> {}
}

/** Somebody's browser: it keeps cookies, and goes where it is sent. */
export class Visitor {
  #jars = new Map<string, Map<string, string>>();

  /** `device` is the session that this browser has at the provider. */
  constructor(private readonly app: string, provider: string, readonly device: string) {
    this.#jars.set(new URL(provider).origin, new Map([['device', device]]));
  }

  /** What the app shows. */
  async sees(path = '/'): Promise<string> {
    let url = new URL(path, this.app);
    for (let hops = 0; hops < 10; hops++) {
      const jar = this.#jars.get(url.origin) ?? new Map<string, string>();
      this.#jars.set(url.origin, jar);
      const cookie = [...jar].map((pair) => pair.join('=')).join('; ');
      const answer = await fetch(url, { redirect: 'manual', headers: { cookie } });
      for (const line of answer.headers.getSetCookie()) keep(jar, line);
      const location = answer.headers.get('location');
      if (!location) return answer.text();
      url = new URL(location, url);
    }
    throw new Error(`sent in circles, last to ${url.origin}${url.pathname}`);
  }
}

function keep(jar: Map<string, string>, line: string): void {
  const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!;
  if (value === '' || /max-age=0|expires=Thu, 01 Jan 1970/i.test(line)) jar.delete(name!);
  else jar.set(name!, value!);
}
