import { ACCOUNT_CLIENT } from '../clients.js';
import { accountPage, sendPage, signedOutPage } from '../pages/pages.js';
import { requireOwnOrigin } from './router.js';

/** The tenant's own page, where people see their sessions and end them. */
export function accountRoutes(tenant) {
  return [
    ['GET', '/', (ctx) => redirect(ctx, '/account')],
    ['GET', '/account', (ctx) => showAccount(tenant, ctx)],
    ['GET', '/account/signed-out', (ctx) => sendPage(ctx, signedOutPage())],
    ['POST', '/account/sessions/end-all', (ctx) => endAll(tenant, ctx)],
    ['POST', '/account/sessions/:sid/end', (ctx) => endOne(tenant, ctx)],
  ];
}

function showAccount(tenant, ctx) {
  ctx.set('Cache-Control', 'no-store');
  const current = tenant.currentSession(ctx);
  if (current === undefined) return redirect(ctx, signInAddress(tenant));
  const user = tenant.users.find(({ id }) => id === current.userId);
  const sessions = tenant.sessions
    .ofUser(current.userId)
    .sort((a, b) => (b.browser.lastUsedAt ?? '').localeCompare(a.browser.lastUsedAt ?? ''))
    .map((session) => ({
      ...session,
      current: session.sid === current.sid,
      apps: session.clientIds.map((id) => tenant.clients.get(id).name),
    }));
  sendPage(ctx, accountPage({ user, sessions }));
}

/** The account page signs people in as any application would, only that it needs no tokens. */
function signInAddress(tenant) {
  const query = new URLSearchParams({
    client_id: ACCOUNT_CLIENT,
    response_type: 'none',
    scope: 'openid',
    redirect_uri: tenant.clients.get(ACCOUNT_CLIENT).callbacks[0],
  });
  return `/authorize?${query}`;
}

function endOne(tenant, ctx) {
  requireOwnOrigin(ctx, tenant.issuer);
  const current = requireSession(tenant, ctx);
  const wanted = tenant.sessions.bySid(ctx.params.sid);
  if (wanted === undefined) return redirect(ctx, '/account');
  if (wanted.userId !== current.userId) ctx.throw(404, 'You have no such session.');
  tenant.sessions.end(wanted.sid, 'idp-logout');
  return redirect(ctx, wanted.sid === current.sid ? '/account/signed-out' : '/account');
}

function endAll(tenant, ctx) {
  requireOwnOrigin(ctx, tenant.issuer);
  const current = requireSession(tenant, ctx);
  for (const { sid } of tenant.sessions.ofUser(current.userId)) {
    tenant.sessions.end(sid, 'idp-logout');
  }
  return redirect(ctx, '/account/signed-out');
}

function requireSession(tenant, ctx) {
  const session = tenant.currentSession(ctx);
  if (session === undefined) ctx.throw(401, 'You are not signed in here.');
  return session;
}

function redirect(ctx, location) {
  ctx.status = 303;
  ctx.set('Location', location);
  ctx.body = '';
}
