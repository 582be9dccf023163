import { randomUUID } from 'node:crypto';

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';

/** Auth0 waits five seconds for an answer. */
const TIMEOUT_MS = 5000;

/**
 * Sends OpenID Connect back-channel logout tokens: one for each application of a session,
 * each with that application as its audience.
 *
 * The person who signs out does not wait for them; {@link Backchannel.settled} is for tests
 * and for an orderly stop.
 */
export class Backchannel {
  /** What was sent and what came of it, newest last, as a tenant's log would show it. */
  log = [];
  #underWay = new Set();
  #clients;
  #keys;
  #issuer;
  #fetch;

  constructor({ clients, keys, issuer, fetch = globalThis.fetch }) {
    this.#clients = clients;
    this.#keys = keys;
    this.#issuer = issuer;
    this.#fetch = fetch;
  }

  /** Sends the application a logout token, if it has an address and listens to this kind of end. */
  notify({ clientId, sub, sid, initiator }) {
    const url = this.#clients.backchannelUrl(clientId);
    if (url === undefined || !this.#clients.listensTo(clientId, initiator)) return;
    const sending = this.#send({ url, clientId, sub, sid, initiator });
    this.#underWay.add(sending);
    sending.finally(() => this.#underWay.delete(sending));
  }

  async settled() {
    await Promise.all(this.#underWay);
  }

  async #send({ url, clientId, sub, sid, initiator }) {
    const entry = { clientId, sid, sub, initiator, url, at: new Date().toISOString() };
    try {
      const token = await this.logoutToken({ clientId, sub, sid });
      const response = await this.#fetch(url, {
        method: 'POST',
        redirect: 'manual',
        body: new URLSearchParams({ logout_token: token }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      await response.body?.cancel();
      this.log.push({ ...entry, token, status: response.status });
    } catch (error) {
      this.log.push({ ...entry, error: error.cause?.message ?? error.message });
    }
  }

  async logoutToken({ clientId, sub, sid }) {
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: this.#issuer,
      aud: clientId,
      iat: now,
      exp: now + 120,
      jti: randomUUID(),
      events: { [EVENT]: {} },
      ...(sub && { sub }),
      ...(sid && { sid }),
    };
    // Auth0 documents plain "JWT" here, where the specification recommends "logout+jwt".
    return this.#keys.sign(claims, { typ: 'JWT' });
  }
}
