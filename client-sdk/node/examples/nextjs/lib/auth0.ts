import { Auth0Client } from '@auth0/nextjs-auth0/server';
import { sqliteSessionStore } from '@slo-hub/node/stores';
import Database from 'better-sqlite3';

export const sessionStore = sqliteSessionStore(new Database(process.env.DATABASE));

export const auth0 = new Auth0Client({
  domain: process.env.ISSUER,
  clientId: process.env.CLIENT_ID,
  clientSecret: process.env.CLIENT_SECRET,
  appBaseUrl: process.env.BASE_URL,
  secret: process.env.COOKIE_SECRET,
  sessionStore,
  // Only a provider on this machine is asked without TLS.
  allowInsecureRequests: process.env.ISSUER?.startsWith('http://localhost') ?? false,
});
