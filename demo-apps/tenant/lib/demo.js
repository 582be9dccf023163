/** The company of the demo: its people, and the applications registered at its tenant. */

export const DEMO_USERS = [
  { id: 'auth0|ada', name: 'Ada Lovelace', email: 'ada@fernhill.example' },
  { id: 'auth0|grace', name: 'Grace Hopper', email: 'grace@fernhill.example' },
];

/** For scripts that end sessions by the Management API. Good on this machine only. */
export const DEMO_MANAGEMENT = { client_id: 'demo-management', client_secret: 'demo-management-secret' };

/**
 * @param {{hub: string, notes: string, shop: string}} origins where the parts of the demo are served
 */
export function demoClients({ hub, notes, shop }) {
  return [
    spa({ client_id: 'spa-notes', name: 'Notes', origin: notes, hub }),
    spa({ client_id: 'spa-shop', name: 'Shop', origin: shop, hub }),
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
