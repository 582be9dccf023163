import { decodeJwt } from 'jose';
import { faultPage, sendPage, signedOutPage } from '../pages/pages.js';
import { readForm } from './router.js';

/**
 * Sign-out by an application's redirect: Auth0's `/v2/logout`, and `/oidc/logout` as a tenant
 * serves it whose end-user confirmation is switched off.
 */
export function logoutRoutes(tenant) {
  const oidc = (read) => async (ctx) => oidcLogout(tenant, ctx, await read(ctx));
  return [
    ['GET', '/v2/logout', (ctx) => auth0Logout(tenant, ctx)],
    ['GET', '/oidc/logout', oidc((ctx) => ctx.query)],
    ['POST', '/oidc/logout', oidc(readForm)],
  ];
}

function auth0Logout(tenant, ctx) {
  const { client_id: clientId, returnTo } = ctx.query;
  if (returnTo !== undefined && !allowed(tenant, clientId, withoutQuery(returnTo))) {
    return refuse(ctx, 'The returnTo URL is not among the Allowed Logout URLs of this application.');
  }
  endCurrentSession(tenant, ctx);
  return leave(ctx, returnTo);
}

async function oidcLogout(tenant, ctx, params) {
  const { id_token_hint: hint, post_logout_redirect_uri: uri, state } = params;
  const hinted = hint === undefined ? undefined : await clientOfHint(tenant, hint);
  if (hint !== undefined && hinted === undefined) {
    return refuse(ctx, 'The id_token_hint is not an ID token of this tenant.');
  }
  const clientId = params.client_id ?? hinted;
  if (hinted !== undefined && clientId !== hinted) {
    return refuse(ctx, 'The id_token_hint was issued to another application than client_id.');
  }
  if (uri !== undefined && !allowed(tenant, clientId, uri)) {
    return refuse(ctx, 'The post_logout_redirect_uri is not among the Allowed Logout URLs of this application.');
  }
  endCurrentSession(tenant, ctx);
  return leave(ctx, uri === undefined ? undefined : withState(uri, state));
}

/** The application a genuine ID token was issued to. That it has expired does not matter. */
async function clientOfHint(tenant, hint) {
  try {
    const clientId = decodeJwt(hint).aud;
    const client = await tenant.provider.Client.find(clientId);
    await tenant.provider.IdToken.validate(hint, client);
    return clientId;
  } catch {
    return undefined;
  }
}

function endCurrentSession(tenant, ctx) {
  const session = tenant.currentSession(ctx);
  if (session !== undefined) tenant.sessions.end(session.sid, 'rp-logout');
  // With options, so that the cookie's signature goes too.
  ctx.cookies.set(tenant.cookieName, null, { httpOnly: true, sameSite: 'lax' });
}

function allowed(tenant, clientId, uri) {
  const lists = clientId === undefined ? tenant.clients.all() : [tenant.clients.get(clientId)];
  return lists.some((client) => client?.allowed_logout_urls.includes(uri));
}

/** Auth0 compares `returnTo` without its query and fragment. */
function withoutQuery(uri) {
  return uri.replace(/[?#].*$/, '');
}

function withState(uri, state) {
  if (state === undefined) return uri;
  const url = new URL(uri);
  url.searchParams.append('state', state);
  return url.href;
}

function leave(ctx, uri) {
  ctx.set('Cache-Control', 'no-store');
  if (uri === undefined) {
    sendPage(ctx, signedOutPage());
    return;
  }
  ctx.status = 302;
  ctx.set('Location', uri);
  ctx.body = '';
}

function refuse(ctx, text) {
  sendPage(ctx, faultPage({ title: 'This sign-out link is not right', text }), 400);
}
