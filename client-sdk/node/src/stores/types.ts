/** The data of one session, as `@auth0/nextjs-auth0` v4 keeps it. Whatever JSON can hold may stand beside these. */
export interface SessionData {
  user: {
    sub: string;
    [claim: string]: unknown;
  };
  tokenSet: {
    accessToken: string;
    idToken?: string;
    /** Seconds since 1970. */
    expiresAt: number;
  };
  internal: {
    sid: string;
    /** When the session began, in seconds since 1970. */
    createdAt: number;
  };
  [member: string]: unknown;
}

/** What a logout names: the claims of a logout token, or what `watchLogouts` heard. */
export interface LogoutClaims {
  /** The issuer. Without it, every issuer's sessions are meant. */
  readonly iss?: string | undefined;
  /** Ends this session only, whatever `sub` stands beside it. */
  readonly sid?: string | undefined;
  /** Without a `sid`: ends every session of this person. */
  readonly sub?: string | undefined;
  /** When that was, in seconds since 1970. A `sub` alone then leaves the sessions alone that began later. */
  readonly iat?: number | undefined;
}

/** Anything that ends the sessions that a logout names. The name is nextjs-auth0's own. */
export interface LogoutStore {
  deleteByLogoutToken(logout: LogoutClaims): void | Promise<void>;
}

/** A `SessionDataStore` of nextjs-auth0, with nothing optional left out. */
export interface SessionStore<Session = SessionData> extends LogoutStore {
  /** Null for a session that is not there, or has expired. */
  get(id: string): Promise<Session | null>;
  /** Keeps a session that begins. */
  set(id: string, session: Session): Promise<void>;
  /**
   * Keeps what a running session has become, and lets it run on. False, and nothing is kept, where the session is not
   * there any more: one that was deleted never comes back, whoever writes at the same time.
   */
  update(id: string, session: Session): Promise<boolean>;
  delete(id: string): Promise<void>;
  /**
   * @throws {TypeError} Where neither `sid` nor `sub` is named, or a claim is not what its type says. Nothing is ended.
   */
  deleteByLogoutToken(logout: LogoutClaims): Promise<void>;
  /** Removes what has expired. Happens by itself too: see `cleanUpEvery`. Redis and DynamoDB do it on their own. */
  cleanUp(): Promise<void>;
}

/** Give the same durations to nextjs-auth0's own `session` option: it bounds the cookie, these bound the session. */
export interface SessionStoreOptions {
  /** The longest life of a session, in seconds: 3 days, as nextjs-auth0's default. */
  readonly absoluteDuration?: number;
  /** How long a session lives without being used, in seconds: 1 day, as nextjs-auth0's default. Only while rolling. */
  readonly inactivityDuration?: number;
  /** Whether use prolongs a session. True unless said. */
  readonly rolling?: boolean;
  /** The issuer of the sessions whose ID token is not kept, such as `https://acme.eu.auth0.com/`. */
  readonly issuer?: string;
  /** How often a sign-in also removes what has expired, in seconds: 15 minutes unless said; `Infinity` for never. */
  readonly cleanUpEvery?: number;
  /** The time in ms since 1970, for tests. */
  readonly now?: () => number;
}
