import { SignJWT, exportJWK, generateKeyPair, importJWK } from 'jose';
import { randomUUID } from 'node:crypto';

/** The tenant's RS256 signing keys: the newest signs, all of them are published. */
export class Keys {
  #jwks;
  #signing;

  constructor(snapshot = []) {
    this.#jwks = snapshot;
  }

  snapshot() {
    return this.#jwks;
  }

  /** Makes the first key, unless there are some already. */
  async ready() {
    if (this.#jwks.length === 0) return this.rotate();
    const [jwk] = this.#jwks;
    this.#signing = { privateKey: await importJWK(jwk, 'RS256'), kid: jwk.kid };
    return undefined;
  }

  /** Starts signing with a new key. With `forgetOld`, the old ones are no longer published. */
  async rotate({ forgetOld = false } = {}) {
    const { privateKey } = await generateKeyPair('RS256', { extractable: true });
    const kid = randomUUID();
    const jwk = { ...(await exportJWK(privateKey)), kid, alg: 'RS256', use: 'sig' };
    this.#jwks = forgetOld ? [jwk] : [jwk, ...this.#jwks];
    this.#signing = { privateKey, kid };
  }

  /** Private keys, newest first: oidc-provider signs with the first and publishes the public halves. */
  get jwks() {
    return { keys: this.#jwks.map((jwk) => ({ ...jwk })) };
  }

  get publicJwks() {
    return { keys: this.#jwks.map(({ kty, n, e, kid, alg, use }) => ({ kty, n, e, kid, alg, use })) };
  }

  async sign(payload, { typ }) {
    const { privateKey, kid } = this.#signing;
    return new SignJWT(payload).setProtectedHeader({ alg: 'RS256', typ, kid }).sign(privateKey);
  }
}
