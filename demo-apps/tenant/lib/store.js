/** For what never expires by itself, in seconds. Infinity would not survive being written as JSON. */
const A_LONG_TIME = 10 * 365 * 24 * 60 * 60;

/**
 * Everything the provider remembers, in memory. One store belongs to one tenant, so that
 * several tenants can live in one process, and a tenant can list its own sessions.
 */
export class MemoryStore {
  /** Model name → id → { payload, expiresAt in ms } */
  #models = new Map();

  /** The adapter oidc-provider asks for, one for each of its models. */
  adapter = (model) => ({
    upsert: async (id, payload, ttl) => this.#put(model, id, payload, ttl),
    find: async (id) => this.find(model, id),
    findByUid: async (uid) => this.all(model).find((payload) => payload.uid === uid),
    findByUserCode: async (code) => this.all(model).find((payload) => payload.userCode === code),
    consume: async (id) => this.#consume(model, id),
    destroy: async (id) => this.destroy(model, id),
    revokeByGrantId: async (grantId) => this.revokeGrant(grantId),
  });

  constructor(snapshot = []) {
    for (const [model, entries] of snapshot) this.#models.set(model, new Map(entries));
  }

  snapshot() {
    return [...this.#models].map(([model, entries]) => [model, [...entries]]);
  }

  find(model, id) {
    const entry = this.#of(model).get(id);
    if (entry === undefined) return undefined;
    if (entry.expiresAt <= Date.now()) {
      this.#of(model).delete(id);
      return undefined;
    }
    return entry.payload;
  }

  all(model) {
    return [...this.#of(model).keys()]
      .map((id) => this.find(model, id))
      .filter((payload) => payload !== undefined);
  }

  destroy(model, id) {
    this.#of(model).delete(id);
  }

  /** Forgets the grant and every token that was issued from it. */
  revokeGrant(grantId) {
    this.destroy('Grant', grantId);
    for (const entries of this.#models.values()) {
      for (const [id, { payload }] of entries) {
        if (payload.grantId === grantId && payload.kind !== 'Session') entries.delete(id);
      }
    }
  }

  #put(model, id, payload, ttl) {
    const expiresAt = Date.now() + (ttl || A_LONG_TIME) * 1000;
    this.#of(model).set(id, { payload, expiresAt });
  }

  #consume(model, id) {
    const payload = this.find(model, id);
    if (payload) payload.consumed = Math.floor(Date.now() / 1000);
  }

  #of(model) {
    let entries = this.#models.get(model);
    if (entries === undefined) {
      entries = new Map();
      this.#models.set(model, entries);
    }
    return entries;
  }
}
