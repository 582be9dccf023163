/** Another app of the company, as the bar links to it. */
export interface Sibling {
  readonly name: string;
  readonly url: string;
}

/** What differs between one Portal and another. Read when it starts, never when it is built. */
export interface Settings {
  /** What browsers call it. */
  readonly url: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly hub: string;
  /** Its secret at the hub. Without one it does not follow the hub's log, and knows of a logout by logout tokens alone. */
  readonly hubSecret: string | undefined;
  /** The file of its database. */
  readonly database: string;
  readonly siblings: readonly Sibling[];
}

/** @throws {Error} Where a variable is missing; its name is said. */
export function settings(env: NodeJS.ProcessEnv = process.env): Settings {
  const required = (name: string) => {
    const value = env[name];
    if (!value) throw new Error(`${name} is not set.`);
    return value;
  };
  return {
    url: required('APP_BASE_URL'),
    issuer: required('AUTH0_DOMAIN'),
    clientId: required('AUTH0_CLIENT_ID'),
    clientSecret: required('AUTH0_CLIENT_SECRET'),
    hub: required('SLO_HUB'),
    hubSecret: env['SLO_HUB_SECRET'] || undefined,
    database: required('PORTAL_DATABASE'),
    siblings: JSON.parse(env['PORTAL_SIBLINGS'] ?? '[]') as Sibling[],
  };
}
