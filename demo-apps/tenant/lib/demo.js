/** The company of the demo: its people, and the applications registered at its tenant. */

export const DEMO_USERS = [
  { id: 'auth0|ada', name: 'Ada Lovelace', email: 'ada@fernhill.example' },
  { id: 'auth0|grace', name: 'Grace Hopper', email: 'grace@fernhill.example' },
];

/** For scripts that end sessions by the Management API. Good on this machine only. */
export const DEMO_MANAGEMENT = { client_id: 'demo-management', client_secret: 'demo-management-secret' };

/** The server-rendered apps. Good on this machine only. */
export const DEMO_DESK = { client_id: 'web-desk', client_secret: 'demo-only-secret-of-desk' };
export const DEMO_PORTAL = { client_id: 'web-portal', client_secret: 'demo-only-secret-of-portal' };

/** The hub, which asks who is signed in when a logout does not say so. Good on this machine only; `hub.toml` has it too. */
export const DEMO_HUB = { client_id: 'slo-hub', client_secret: 'demo-only-secret-of-the-hub' };

/**
 * @param {{hub: string, notes: string, shop: string, desk?: string, portal?: string}} origins
 *   where the parts of the demo are served
 */
export function demoClients(origins) {
  const { hub, notes, shop, desk = 'http://desk.localhost:4012', portal = 'http://portal.localhost:4013' } = origins;
  return [
    spa({ client_id: 'spa-notes', name: 'Notes', origin: notes, hub }),
    spa({ client_id: 'spa-shop', name: 'Shop', origin: shop, hub }),
    {
      ...DEMO_DESK,
      name: 'Desk',
      app_type: 'regular_web',
      token_endpoint_auth_method: 'client_secret_basic',
      callbacks: [`${desk}/callback`],
      allowed_logout_urls: [`${desk}/signed-out`, `${hub}/logout/callback`],
    },
    {
      ...DEMO_PORTAL,
      name: 'Portal',
      app_type: 'regular_web',
      token_endpoint_auth_method: 'client_secret_post',
      callbacks: [`${portal}/auth/callback`],
      allowed_logout_urls: [`${portal}/signed-out`, `${hub}/logout/callback`],
    },
    {
      ...DEMO_HUB,
      name: 'Sign-out',
      app_type: 'regular_web',
      token_endpoint_auth_method: 'client_secret_basic',
      grant_types: ['authorization_code'],
      callbacks: [`${hub}/logout/signed-in`, `${hub}/sessions/callback`],
      allowed_logout_urls: [`${hub}/logout/callback`],
    },
    {
      ...DEMO_MANAGEMENT,
      name: 'Management scripts',
      app_type: 'non_interactive',
      management_scopes: ['read:sessions', 'delete:sessions', 'read:clients', 'update:clients'],
    },
  ];
}

function spa({ client_id, name, origin, hub }) {
  return {
    client_id,
    name,
    app_type: 'spa',
    callbacks: [origin, `${origin}/callback`],
    web_origins: [origin],
    allowed_logout_urls: [`${origin}/signed-out`, `${hub}/logout/callback`],
  };
}
