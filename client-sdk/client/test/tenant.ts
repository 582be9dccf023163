import type { Auth0Client } from '@auth0/auth0-spa-js';
import { idToken, type Claims } from './hub.js';

export const TENANT = 'acme.eu.auth0.com';
export const CLIENT_ID = 'notes';

/** What every Auth0 SDK here is configured with. A page load restores the session from storage. */
export const AUTH0 = { domain: TENANT, clientId: CLIENT_ID, useRefreshTokens: true, cacheLocation: 'localstorage' } as const;

/** The token endpoint of an Auth0 tenant, and its login page as far as one needs no browser for it. */
export class FakeTenant {
  /** What was asked of the token endpoint. */
  readonly grants: string[] = [];
  /** Refuses to refresh, as after the provider's session has ended. */
  isOver = false;
  #logins = new Map<string, Partial<Claims>>();
  #refreshes = new Map<string, Partial<Claims>>();
  #names = 0;

  /** The person signs in at the page that an SDK wants to open. Returns where the tenant sends them back to. */
  signIn(authorizeUrl: string, claims: Partial<Claims> = {}): string {
    const asked = new URL(authorizeUrl).searchParams;
    const code = `code-${++this.#names}`;
    this.#logins.set(code, { nonce: asked.get('nonce')!, ...claims });
    return `${asked.get('redirect_uri')}?code=${code}&state=${encodeURIComponent(asked.get('state')!)}`;
  }

  async token(request: Request): Promise<Response> {
    const form = new URLSearchParams(await request.text());
    const grant = form.get('grant_type')!;
    this.grants.push(grant);
    const claims = grant === 'refresh_token' ? this.#refreshes.get(form.get('refresh_token')!) : this.#logins.get(form.get('code')!);
    if (!claims || (this.isOver && grant === 'refresh_token')) return Response.json({ error: 'invalid_grant' }, { status: 403 });
    const refresh_token = `refresh-${++this.#names}`;
    this.#refreshes.set(refresh_token, claims);
    const granted = { access_token: `access-${this.#names}`, refresh_token, token_type: 'Bearer', expires_in: 36_000 };
    return Response.json({ ...granted, scope: 'openid profile email offline_access', id_token: idToken(claims) });
  }
}

/** Signs a person in by redirect, as the last page but one did. What it leaves in storage, the next page load finds. */
export async function signInByRedirect(client: Auth0Client, tenant: FakeTenant, claims: Partial<Claims> = {}): Promise<void> {
  await client.loginWithRedirect({
    authorizationParams: { redirect_uri: location.origin },
    openUrl: async (url) => void (await client.handleRedirectCallback(tenant.signIn(url, claims))),
  });
}
