/** The React adapter takes what auth0-react returns. Compiled against the built declarations, never run. */
import { useAuth0, type Auth0ContextInterface, type User } from '@auth0/auth0-react';
import { createElement } from 'react';
import { IdleWarning, SignedOutNotice, useSlo, type SignedOutEvent, type Slo, type SloState, type UsedAuth0 } from '@slo-hub/client/react';

const auth0 = useAuth0();
const used: UsedAuth0 = auth0;
void used;
declare const ownUser: Auth0ContextInterface<User & { tier: string }>;

const slo: Slo = useSlo({ auth0, hub: 'https://hub.example' });
const state: SloState = slo.state;
const reason: string | undefined = slo.signedOut?.reason;
const secondsLeft: number | undefined = slo.idleSecondsLeft;
void [state, reason, secondsLeft, slo.isReady satisfies boolean];
void slo.logout();
void slo.logout({ scope: 'user', reason: 'Bye', redirect: false, logoutParams: { returnTo: '/bye' } });

useSlo({
  auth0: ownUser,
  hub: new URL('https://hub.example'),
  curtain: true,
  debug: console,
  onSignedOut: (event: SignedOutEvent) => console.log(event.reason),
  onError: ({ code }) => console.log(code === 'not_allowed'),
});

// @ts-expect-error what useAuth0() returned is needed
useSlo({ hub: '' });
// @ts-expect-error the adapter sees to getToken
useSlo({ auth0, hub: '', getToken: () => null });
// @ts-expect-error and to when it starts
useSlo({ auth0, hub: '', autoStart: false });
// @ts-expect-error a click is no options
const onClick: (event: MouseEvent) => void = slo.logout;
void onClick;

const button = createElement('button', { onClick: () => slo.logout() });
createElement(SignedOutNotice, { event: slo.signedOut, heading: 'Bye', message: 'See you', className: 'mine' }, button);
createElement(SignedOutNotice, { event: slo.signedOut, messages: { idle: 'Zu lange nichts getan.', 'of a newer hub': 'Vorbei.' } });
createElement(IdleWarning, { client: slo.client, message: 'Abmeldung in {time}', stay: 'Bleiben', signOut: 'Abmelden' });
// @ts-expect-error a client, or undefined, has to be given
createElement(IdleWarning, {});
// @ts-expect-error an event, or undefined, has to be given
createElement(SignedOutNotice, {});
