import { ACCOUNT_CLIENT } from './clients.js';

/**
 * The tenant's sessions: who is signed in, in which browser, at which applications.
 * Every way to end one goes through {@link Sessions.end}, so that all of them notify the
 * applications by the same rules.
 */
export class Sessions {
  /** sid → what the person's browser said of itself */
  #browsers = new Map();
  #store;
  #backchannel;

  constructor({ store, backchannel }) {
    this.#store = store;
    this.#backchannel = backchannel;
  }

  /** Notes that a session was used from this browser. */
  seen(sid, { userAgent, ip }) {
    const now = new Date().toISOString();
    const first = this.#browsers.get(sid) ?? { userAgent, ip, startedAt: now };
    this.#browsers.set(sid, { ...first, lastUsedAt: now, lastUserAgent: userAgent, lastIp: ip });
  }

  /** The session a browser's cookie names, if it is still alive. */
  byCookie(cookie) {
    if (!cookie) return undefined;
    const payload = this.#store.find('Session', cookie);
    return payload?.accountId ? this.#describe(payload) : undefined;
  }

  bySid(sid) {
    return this.#signedIn().find((session) => session.sid === sid);
  }

  ofUser(userId) {
    return this.#signedIn().filter((session) => session.userId === userId);
  }

  /**
   * Ends the session and tells its applications.
   *
   * Refresh tokens live on, as they do at Auth0: a logout there ends the session and
   * nothing else. Only a revocation takes them along.
   *
   * @param initiator what ended it, in the words of Auth0's back-channel logout initiators
   */
  end(sid, initiator, { revokeTokens = false } = {}) {
    const session = this.bySid(sid);
    if (session === undefined) return false;
    this.#store.destroy('Session', session.cookie);
    this.#browsers.delete(sid);
    if (revokeTokens) session.grantIds.forEach((id) => this.#store.revokeGrant(id));
    for (const clientId of session.allClientIds) {
      this.#backchannel.notify({ clientId, sub: session.userId, sid, initiator });
    }
    return true;
  }

  #signedIn() {
    return this.#store
      .all('Session')
      .filter((payload) => payload.accountId)
      .map((payload) => this.#describe(payload));
  }

  #describe(payload) {
    const authorizations = payload.authorizations ?? {};
    const allClientIds = Object.keys(authorizations);
    return {
      sid: payload.uid,
      cookie: payload.jti,
      userId: payload.accountId,
      authenticatedAt: new Date(payload.loginTs * 1000).toISOString(),
      expiresAt: new Date(payload.exp * 1000).toISOString(),
      allClientIds,
      clientIds: allClientIds.filter((id) => id !== ACCOUNT_CLIENT),
      grantIds: Object.values(authorizations).flatMap(({ grantId }) => grantId ?? []),
      browser: this.#browsers.get(payload.uid) ?? {},
    };
  }
}
