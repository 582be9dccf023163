import { createLocalJWKSet, jwtVerify } from 'jose';
import { managementAudience } from './management-token.js';
import { readBody } from './router.js';

/**
 * The part of Auth0's Management API that has to do with signing out.
 *
 * Ending a session here counts as `session-revoked`, which no application hears of unless
 * its back-channel logout initiators name it.
 */
export function managementRoutes(tenant) {
  const guarded = (scope, handler) => async (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    const refusal = await refusalFor(tenant, ctx, scope);
    if (refusal !== undefined) return answer(ctx, refusal.statusCode, refusal);
    return handler(tenant, ctx);
  };
  return [
    ['GET', '/api/v2/users/:id/sessions', guarded('read:sessions', listSessions)],
    ['DELETE', '/api/v2/users/:id/sessions', guarded('delete:sessions', endAllSessions)],
    ['GET', '/api/v2/sessions/:id', guarded('read:sessions', getSession)],
    ['DELETE', '/api/v2/sessions/:id', guarded('delete:sessions', endSession({ revokeTokens: false }))],
    ['POST', '/api/v2/sessions/:id/revoke', guarded('delete:sessions', endSession({ revokeTokens: true }))],
    ['GET', '/api/v2/clients/:id', guarded('read:clients', getClient)],
    ['PATCH', '/api/v2/clients/:id', guarded('update:clients', patchClient)],
  ];
}

async function refusalFor(tenant, ctx, scope) {
  const [scheme, token] = ctx.get('authorization').split(' ');
  if (scheme.toLowerCase() !== 'bearer' || !token) {
    return problem(401, 'Unauthorized', 'Missing authentication');
  }
  try {
    const { payload } = await jwtVerify(token, createLocalJWKSet(tenant.keys.publicJwks), {
      issuer: tenant.issuer,
      audience: managementAudience(tenant.issuer),
      algorithms: ['RS256'],
    });
    if (payload.scope.split(' ').includes(scope)) return undefined;
  } catch {
    return problem(401, 'Unauthorized', 'Invalid token');
  }
  return problem(403, 'Forbidden', `Insufficient scope, expected any of: ${scope}`, 'insufficient_scope');
}

function listSessions(tenant, ctx) {
  const { id } = ctx.params;
  if (!tenant.users.some((user) => user.id === id)) return notFound(ctx, 'The user does not exist.');
  return answer(ctx, 200, { sessions: tenant.sessions.ofUser(id).map(sessionBody) });
}

function endAllSessions(tenant, ctx) {
  for (const { sid } of tenant.sessions.ofUser(ctx.params.id)) {
    tenant.sessions.end(sid, 'session-revoked');
  }
  ctx.status = 202;
  ctx.body = '';
}

function getSession(tenant, ctx) {
  const session = tenant.sessions.bySid(ctx.params.id);
  if (session === undefined) return notFound(ctx, 'The session does not exist.');
  return answer(ctx, 200, sessionBody(session));
}

function endSession({ revokeTokens }) {
  return (tenant, ctx) => {
    if (!tenant.sessions.end(ctx.params.id, 'session-revoked', { revokeTokens })) {
      return notFound(ctx, 'The session does not exist.');
    }
    ctx.status = 202;
    ctx.body = '';
    return undefined;
  };
}

function getClient(tenant, ctx) {
  const client = tenant.clients.get(ctx.params.id);
  return client === undefined
    ? notFound(ctx, 'The client does not exist.')
    : answer(ctx, 200, clientBody(client));
}

async function patchClient(tenant, ctx) {
  const client = tenant.clients.get(ctx.params.id);
  if (client === undefined) return notFound(ctx, 'The client does not exist.');
  const wanted = parseJson(await readBody(ctx));
  const unknown = Object.keys(wanted ?? {}).filter((key) => key !== 'oidc_logout');
  if (wanted === undefined || unknown.length > 0) {
    return badRequest(ctx, 'This stand-in can change "oidc_logout" only, given as a JSON object.');
  }
  const fault = tenant.clients.patchLogout(client.client_id, wanted.oidc_logout ?? {});
  return fault === undefined ? answer(ctx, 200, clientBody(client)) : badRequest(ctx, fault);
}

function sessionBody(session) {
  const { browser } = session;
  return {
    id: session.sid,
    user_id: session.userId,
    created_at: browser.startedAt ?? session.authenticatedAt,
    updated_at: browser.lastUsedAt ?? session.authenticatedAt,
    authenticated_at: session.authenticatedAt,
    expires_at: session.expiresAt,
    last_interacted_at: browser.lastUsedAt ?? session.authenticatedAt,
    device: {
      initial_user_agent: browser.userAgent,
      initial_ip: browser.ip,
      last_user_agent: browser.lastUserAgent,
      last_ip: browser.lastIp,
    },
    clients: session.clientIds.map((id) => ({ client_id: id })),
    authentication: { methods: [{ name: 'pwd', timestamp: session.authenticatedAt }] },
  };
}

function clientBody({ client_secret: _secret, management_scopes: _scopes, ...client }) {
  return client;
}

function parseJson(text) {
  try {
    const value = JSON.parse(text);
    return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function problem(statusCode, error, message, errorCode) {
  return { statusCode, error, message, ...(errorCode && { errorCode }) };
}

function notFound(ctx, message) {
  return answer(ctx, 404, problem(404, 'Not Found', message, 'inexistent_resource'));
}

function badRequest(ctx, message) {
  return answer(ctx, 400, problem(400, 'Bad Request', message, 'invalid_body'));
}

function answer(ctx, status, body) {
  ctx.status = status;
  ctx.body = body;
}
