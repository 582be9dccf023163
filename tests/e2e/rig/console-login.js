import { DEMO_HUB } from '../../../demo-apps/tenant/lib/demo.js';

/**
 * Has these people of the tenant's sign in to the console there. The console is then on another site than the tenant,
 * as it is in a company; says its address. The world needs `hubClient`.
 */
export async function openConsoleToLogin(world, operators) {
  const url = new URL(world.urls.console);
  url.hostname = '127.0.0.1';
  world.tenant.clients.get(DEMO_HUB.client_id).callbacks.push(`${url.origin}/console/sign-in/callback`);
  // The tenant takes its clients anew.
  await world.tenant.rotateKeys();
  await world.hub.kill();
  const lines = ['[server.console]', `url = "${url.origin}"`, 'claim = "sub"', `values = ${JSON.stringify(operators)}`, '[store]'];
  world.hub.config = world.hub.config.replace('[store]', lines.join('\n'));
  await world.hub.start();
  return url.href;
}
