import { NextResponse, type NextRequest } from 'next/server';
import { auth0 } from './lib/auth0';
import { settings } from './lib/settings';

/** Of nextjs-auth0's own routes, the ones that are used. Its logout leaves the hub out, and answers to any link. */
const AUTH_ROUTES = new Set(['/auth/login', '/auth/callback', '/auth/backchannel-logout']);

/** Comes before every page: nextjs-auth0 answers its routes here, and lets running sessions run on. */
export async function proxy(request: NextRequest): Promise<NextResponse> {
  const { pathname } = request.nextUrl;
  if (AUTH_ROUTES.has(pathname)) return answerOf(request);
  const policy = contentPolicy(Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64'));
  const headers = new Headers(request.headers);
  // Next finds the nonce for its own scripts here.
  headers.set('Content-Security-Policy', policy);
  const response = NextResponse.next({ request: { headers } });
  if (!pathname.startsWith('/auth/')) await rollSession(request, response);
  response.headers.set('Content-Security-Policy', policy);
  response.headers.set('Referrer-Policy', 'strict-origin-when-cross-origin');
  response.headers.set('X-Content-Type-Options', 'nosniff');
  return response;
}

/** nextjs-auth0's answer; where the sign-in cannot even begin, a page instead of its bare line. */
async function answerOf(request: NextRequest): Promise<NextResponse> {
  const answer = await auth0().middleware(request);
  const isBroken = answer.status >= 500 && request.method === 'GET';
  return isBroken ? NextResponse.redirect(new URL('/not-signed-in', settings().url), 303) : answer;
}

async function rollSession(request: NextRequest, response: NextResponse): Promise<void> {
  const rolled = await auth0().middleware(request);
  for (const cookie of rolled.cookies.getAll()) response.cookies.set(cookie);
}

/** Form actions are checked over redirects too: a sign-out goes to the hub, from there to the issuer, and comes back. */
function contentPolicy(nonce: string): string {
  const { hub, issuer } = settings();
  const origins = [hub, issuer].map((address) => new URL(address).origin).join(' ');
  return [
    "default-src 'none'",
    `script-src 'nonce-${nonce}' 'strict-dynamic'`,
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    `form-action 'self' ${origins}`,
  ].join('; ');
}

export const config = {
  // What Next built is the same for everybody.
  matcher: ['/((?!_next/static|icon).*)'],
};
