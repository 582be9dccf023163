/** What Auth0 sends back-channel logout tokens for, unless an application says otherwise. */
export const DEFAULT_INITIATORS = ['rp-logout', 'idp-logout'];

const ALL_INITIATORS = new Set([
  'rp-logout',
  'idp-logout',
  'password-changed',
  'session-expired',
  'session-revoked',
  'account-deleted',
  'email-identifier-changed',
  'mfa-phone-unenrolled',
  'account-deactivated',
]);

/** Client id of the tenant's own account page. */
export const ACCOUNT_CLIENT = 'tenant-account';

/**
 * The applications registered at the tenant, in the Management API's own words:
 * `client_id`, `name`, `callbacks`, `allowed_logout_urls`, `web_origins`, `oidc_logout`.
 */
export class Clients {
  #byId = new Map();

  constructor(clients, issuer) {
    const account = {
      client_id: ACCOUNT_CLIENT,
      name: 'Your account',
      app_type: 'spa',
      callbacks: [new URL('account', issuer).href],
    };
    for (const client of [account, ...clients]) {
      this.#byId.set(client.client_id, {
        app_type: 'spa',
        callbacks: [],
        allowed_logout_urls: [],
        web_origins: [],
        oidc_logout: {},
        ...structuredClone(client),
      });
    }
  }

  get(clientId) {
    return this.#byId.get(clientId);
  }

  all() {
    return [...this.#byId.values()];
  }

  backchannelUrl(clientId) {
    return this.get(clientId)?.oidc_logout.backchannel_logout_urls?.[0];
  }

  /** Does this kind of session end send the application a logout token? */
  listensTo(clientId, initiator) {
    const settings = this.get(clientId)?.oidc_logout.backchannel_logout_initiators;
    if (settings?.mode === 'all') return true;
    return (settings?.selected_initiators ?? DEFAULT_INITIATORS).includes(initiator);
  }

  /** Replaces the logout settings, or says what is wrong with them. */
  patchLogout(clientId, wanted) {
    const fault = logoutFault(wanted);
    if (fault === undefined) {
      const client = this.get(clientId);
      client.oidc_logout = { ...client.oidc_logout, ...structuredClone(wanted) };
    }
    return fault;
  }

  allowsOrigin(clientId, origin) {
    return this.get(clientId)?.web_origins.includes(origin) ?? false;
  }
}

function logoutFault(wanted) {
  if (wanted === null || typeof wanted !== 'object') return 'oidc_logout must be an object';
  const urls = wanted.backchannel_logout_urls;
  if (urls !== undefined && !(Array.isArray(urls) && urls.length <= 1 && urls.every(isUrl))) {
    return 'oidc_logout.backchannel_logout_urls must be an array of at most one URL';
  }
  const initiators = wanted.backchannel_logout_initiators;
  if (initiators === undefined) return undefined;
  if (!['custom', 'all'].includes(initiators?.mode)) {
    return 'oidc_logout.backchannel_logout_initiators.mode must be "custom" or "all"';
  }
  const selected = initiators.selected_initiators ?? [];
  if (!Array.isArray(selected) || !selected.every((name) => ALL_INITIATORS.has(name))) {
    return `oidc_logout.backchannel_logout_initiators.selected_initiators must be among ${[...ALL_INITIATORS].join(', ')}`;
  }
  if (initiators.mode === 'custom' && !DEFAULT_INITIATORS.every((name) => selected.includes(name))) {
    return `selected_initiators must contain ${DEFAULT_INITIATORS.join(' and ')}`;
  }
  return undefined;
}

function isUrl(value) {
  return typeof value === 'string' && URL.canParse(value);
}
