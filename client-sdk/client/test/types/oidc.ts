/** The adapter takes oidc-client-ts's own manager. Compiled against the built declarations, never run. */
import type { UserManager } from 'oidc-client-ts';
import { withOidc, type OidcLike, type OidcSloClient, type SignedOutEvent } from '@slo-hub/client/oidc';

declare const users: UserManager;
const like: OidcLike = users;
void like;
const slo: OidcSloClient = withOidc(users, {
  hub: 'https://hub.example',
  onSignedOut: (event: SignedOutEvent) => console.log(event.reason),
});
void slo.logout();
void slo.logout({ scope: 'user', reason: 'Bye', redirect: false, signoutArgs: { post_logout_redirect_uri: '/bye', state: { from: 1 } } });
void slo.ready.then((state) => state === 'signed-out');

// @ts-expect-error the adapter sees to getToken
withOidc(users, { hub: '', getToken: () => null });
// @ts-expect-error a manager is needed
withOidc({}, { hub: '' });
// @ts-expect-error Auth0's parameters are not theirs
void slo.logout({ logoutParams: { returnTo: '/bye' } });
