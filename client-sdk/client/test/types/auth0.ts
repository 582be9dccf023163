/** The Auth0 adapter takes Auth0's own objects. Compiled against the built declarations, never run. */
import type { Auth0Client } from '@auth0/auth0-spa-js';
import { withAuth0, type Auth0Like, type SignedOutEvent } from '@slo-hub/client/auth0';

declare const spa: Auth0Client;
const slo = withAuth0(spa, { hub: 'https://hub.example', onSignedOut: (event: SignedOutEvent) => console.log(event.reason) });
void slo.logout();
void slo.logout({ scope: 'user', reason: 'Bye', redirect: false, timeoutMs: 500, logoutParams: { returnTo: '/bye' } });
void slo.ready.then((state) => state === 'signed-out');
void slo.start().logout();

/** As auth0-react declares what `useAuth0()` returns. */
interface UseAuth0 {
  isAuthenticated: boolean;
  getIdTokenClaims: () => ReturnType<Auth0Client['getIdTokenClaims']>;
  getAccessTokenSilently: Auth0Client['getTokenSilently'];
  logout: (options?: Parameters<Auth0Client['logout']>[0]) => Promise<void>;
}
declare const used: UseAuth0;
withAuth0(used, { hub: '' });
const like: Auth0Like = used;
void like;

// @ts-expect-error the adapter sees to getToken
withAuth0(spa, { hub: '', getToken: () => null });
// @ts-expect-error not Auth0's
withAuth0({}, { hub: '' });
