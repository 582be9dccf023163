// The package's front door only adds a warning that Node.js 20 is no longer on its list
// of supported versions. This code's tests run on 20, so they vouch for it here.
import { Provider } from 'oidc-provider/lib/provider.js';
import { managementToken } from './routes/management-token.js';
import { errorPage } from './pages/pages.js';

const DAY = 24 * 60 * 60;

/**
 * The OpenID provider itself: oidc-provider, with Auth0's paths, claims and habits.
 *
 * Built anew when the keys change; all state is in the store, so nobody notices.
 */
export function buildProvider(tenant) {
  const provider = new Provider(tenant.issuer, configuration(tenant));
  shareOneSid(provider);
  provider.Client.prototype.backchannelLogout = async function notify(sub, sid) {
    tenant.backchannel.notify({ clientId: this.clientId, sub, sid, initiator: 'rp-logout' });
  };
  provider.registerGrantType('client_credentials', managementToken(tenant), ['audience', 'scope']);
  provider.on('authorization.success', (ctx) => {
    tenant.sessions.seen(ctx.oidc.session.uid, { userAgent: ctx.get('user-agent'), ip: ctx.ip });
  });
  provider.on('server_error', (_ctx, error) => console.error('tenant:', error));
  return provider;
}

/** At Auth0 every application of a browser session sees the same `sid`; oidc-provider makes one for each. */
function shareOneSid(provider) {
  provider.Session.prototype.ensureClientContainer = function ensure(clientId) {
    if (!this.sidFor(clientId)) this.sidFor(clientId, this.uid);
  };
}

function configuration(tenant) {
  return {
    adapter: tenant.store.adapter,
    clients: tenant.clients.all().map((client) => clientMetadata(client, tenant)),
    jwks: tenant.keys.jwks,
    cookies: cookies(tenant),
    routes: {
      authorization: '/authorize',
      token: '/oauth/token',
      revocation: '/oauth/revoke',
      jwks: '/.well-known/jwks.json',
      userinfo: '/userinfo',
      end_session: '/oidc/logout',
    },
    scopes: ['openid', 'offline_access'],
    claims: {
      openid: ['sub'],
      profile: ['name', 'nickname', 'updated_at'],
      email: ['email', 'email_verified'],
    },
    // Auth0 puts the profile into the ID token, also where an access token is issued.
    conformIdTokenClaims: false,
    responseTypes: ['code', 'none'],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      revocation: { enabled: true, allowedPolicy: async () => true },
      rpInitiatedLogout: { enabled: true },
      backchannelLogout: { enabled: true },
      webMessageResponseMode: { enabled: true, ack: 'individual-draft-01' },
    },
    clientBasedCORS: (_ctx, origin, client) => tenant.clients.allowsOrigin(client.clientId, origin),
    findAccount: (_ctx, id) => account(tenant, id),
    interactions: { url: () => '/u/login' },
    loadExistingGrant: grantEverythingAsked,
    // Auth0's single-page SDK asks for offline_access without prompt=consent, which
    // OpenID Connect says to ignore and Auth0 does not.
    issueRefreshToken: async (_ctx, client, source) =>
      client.grantTypeAllowed('refresh_token') && source.scopes.has('openid'),
    expiresWithSession: async () => false,
    rotateRefreshToken: true,
    renderError: (ctx, out) => errorPage(ctx, out),
    ttl: {
      Session: tenant.ttl.session ?? 3 * DAY,
      Grant: 30 * DAY,
      RefreshToken: 30 * DAY,
      IdToken: tenant.ttl.idToken ?? 10 * 60 * 60,
      AccessToken: tenant.ttl.accessToken ?? DAY,
      AuthorizationCode: 60,
      Interaction: 60 * 60,
    },
  };
}

/** Cookies do not tell ports apart, so the names do: several tenants can share `localhost`. */
function cookies(tenant) {
  return {
    keys: tenant.cookieKeys,
    names: {
      session: tenant.cookieName,
      interaction: `${tenant.cookieName}_login`,
      resume: `${tenant.cookieName}_resume`,
    },
  };
}

function clientMetadata(client, tenant) {
  const confidential = client.client_secret !== undefined;
  const machine = client.app_type === 'non_interactive';
  return {
    client_id: client.client_id,
    client_name: client.name,
    ...(confidential && { client_secret: client.client_secret }),
    token_endpoint_auth_method: confidential
      ? (client.token_endpoint_auth_method ?? 'client_secret_post')
      : 'none',
    redirect_uris: machine ? [] : client.callbacks,
    response_types: machine ? [] : ['code', 'none'],
    grant_types: client.grant_types ?? (machine ? ['client_credentials'] : ['authorization_code', 'refresh_token']),
    post_logout_redirect_uris: client.allowed_logout_urls,
    // This puts the `sid` into ID tokens. Where logout tokens really go is the tenant's to say.
    backchannel_logout_uri: tenant.issuer,
    backchannel_logout_session_required: true,
  };
}

function account(tenant, id) {
  const user = tenant.users.find((one) => one.id === id);
  if (user === undefined) return undefined;
  return {
    accountId: id,
    claims: async () => ({
      sub: id,
      name: user.name,
      nickname: user.email.split('@')[0],
      email: user.email,
      email_verified: true,
    }),
  };
}

/** These are the company's own applications: nobody is asked for consent. */
async function grantEverythingAsked(ctx) {
  const { client, session, params, provider } = ctx.oidc;
  const known = session.grantIdFor(client.clientId);
  const grant =
    (known && (await provider.Grant.find(known))) ||
    new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  grant.addOIDCScope(params.scope ?? 'openid');
  await grant.save();
  return grant;
}
