import { faultPage, loginPage, sendPage } from '../pages/pages.js';
import { readForm, requireOwnOrigin } from './router.js';

/** The sign-in page. The people on it are ready to use: one click each, no password. */
export function loginRoutes(tenant) {
  return [
    ['GET', '/u/login', (ctx) => showLogin(tenant, ctx)],
    ['POST', '/u/login', (ctx) => takeLogin(tenant, ctx)],
  ];
}

async function showLogin(tenant, ctx) {
  const interaction = await openInteraction(tenant, ctx);
  if (interaction === undefined) return;
  const client = tenant.clients.get(interaction.params.client_id);
  ctx.set('Cache-Control', 'no-store');
  sendPage(ctx, loginPage({ appName: client.name, users: tenant.users }));
}

async function takeLogin(tenant, ctx) {
  requireOwnOrigin(ctx, tenant.issuer);
  const { user } = await readForm(ctx);
  const interaction = await openInteraction(tenant, ctx);
  if (interaction === undefined) return;
  if (!tenant.users.some(({ id }) => id === user)) ctx.throw(400, 'There is no such person here.');
  const result = { login: { accountId: user, amr: ['pwd'] }, consent: {} };
  const returnTo = await tenant.provider.interactionResult(ctx.req, ctx.res, result);
  ctx.status = 303;
  ctx.set('Location', returnTo);
  ctx.body = '';
}

/** The sign-in this browser is in the middle of; answers with a page when there is none. */
async function openInteraction(tenant, ctx) {
  try {
    return await tenant.provider.interactionDetails(ctx.req, ctx.res);
  } catch {
    const title = 'This sign-in has expired';
    const text = 'It was started too long ago, or in another browser. Go back to the app and press “Sign in” again.';
    sendPage(ctx, faultPage({ title, text }), 400);
    return undefined;
  }
}
