import { randomUUID } from 'node:crypto';
import { AccessDenied, InvalidRequest } from 'oidc-provider/lib/helpers/errors.js';

const LIFETIME = 24 * 60 * 60;

/** The client-credentials grant, Auth0's way: `audience` names the API, the answer is a JWT for it. */
export function managementToken({ issuer, clients, keys }) {
  const audience = managementAudience(issuer);
  return async (ctx) => {
    const { client, params } = ctx.oidc;
    if (params.audience !== audience) {
      throw new InvalidRequest(`audience must be ${audience}`);
    }
    const allowed = clients.get(client.clientId).management_scopes;
    if (allowed === undefined) {
      throw new AccessDenied(`client is not authorized to access ${audience}`);
    }
    const asked = params.scope?.split(' ').filter(Boolean) ?? allowed;
    const scope = asked.filter((one) => allowed.includes(one)).join(' ');
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: issuer,
      sub: `${client.clientId}@clients`,
      aud: audience,
      azp: client.clientId,
      gty: 'client-credentials',
      iat: now,
      exp: now + LIFETIME,
      jti: randomUUID(),
      scope,
    };
    ctx.body = {
      access_token: await keys.sign(claims, { typ: 'at+jwt' }),
      scope,
      expires_in: LIFETIME,
      token_type: 'Bearer',
    };
  };
}

export function managementAudience(issuer) {
  return new URL('api/v2/', issuer).href;
}
