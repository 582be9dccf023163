import { NextResponse, type NextRequest } from 'next/server';
import { auth0, SESSION } from '../../lib/auth0';
import { database } from '../../lib/database';
import { LEAVING } from '../../lib/session';
import { settings } from '../../lib/settings';

const LEAVING_SECONDS = 10 * 60;

/**
 * Portal's own session ends first, so that nothing keeps a person signed in here. 307: then the browser posts the same
 * form to the hub, with the ID token in its body and not in an address.
 */
export async function POST(request: NextRequest): Promise<NextResponse> {
  const { url, hub } = settings();
  if (request.headers.get('origin') !== new URL(url).origin) return foreign();
  const { state } = Object.fromEntries(new URLSearchParams(await request.text()));
  const session = await auth0().getSession();
  if (session) await database().sessions.deleteByLogoutToken({ sid: session.internal.sid });
  const response = NextResponse.redirect(new URL('/logout', hub), 307);
  response.cookies.delete(SESSION);
  response.cookies.set(LEAVING, state ?? '', { httpOnly: true, sameSite: 'lax', maxAge: LEAVING_SECONDS, path: '/signed-out' });
  return response;
}

function foreign(): NextResponse {
  return new NextResponse('That did not come from Portal. Nobody was signed out.', { status: 403 });
}
