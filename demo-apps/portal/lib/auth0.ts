import { Auth0Client } from '@auth0/nextjs-auth0/server';
import { NextResponse } from 'next/server';
import { database } from './database';
import { settings } from './settings';

/** The cookie that names a session. */
export const SESSION = 'portal_session';

let client: Auth0Client | undefined;

/** nextjs-auth0, with its sessions in the database, where a logout can reach them. */
export function auth0(): Auth0Client {
  return (client ??= make());
}

function make(): Auth0Client {
  const { url, issuer, clientId, clientSecret } = settings();
  const { sessions, cookieSecret } = database();
  return new Auth0Client({
    domain: issuer,
    clientId,
    clientSecret,
    appBaseUrl: url,
    secret: cookieSecret,
    sessionStore: sessions,
    session: { cookie: { name: SESSION } },
    transactionCookie: { prefix: 'portal_signing_in_' },
    authorizationParameters: { scope: 'openid profile email' },
    // The demo's provider is on this machine, without TLS.
    allowInsecureRequests: new URL(issuer).protocol === 'http:',
    enableAccessTokenEndpoint: false,
    enableTelemetry: false,
    // What libraries say of a failed sign-in can hold what was sent: the page says less.
    onCallback: async (error) => NextResponse.redirect(new URL(error ? '/not-signed-in' : '/', url), 303),
  });
}
