/** The Vue adapter takes auth0-vue's plugin, whose types need a bundler's resolution. Compiled, never run. */
import { createAuth0, useAuth0, type Auth0VueClient } from '@auth0/auth0-vue';
import { IdleWarning, SignedOutNotice, useSlo, type Auth0Plugin, type SignedOutEvent, type Slo, type SloState } from '@slo-hub/client/vue';
import { h, type ComputedRef } from 'vue';

declare const client: Auth0VueClient;
const plugin: Auth0Plugin = client;
void plugin;
useSlo({ auth0: createAuth0({ domain: 'acme.eu.auth0.com', clientId: 'notes' }), hub: new URL('https://hub.example') });

const slo: Slo = useSlo({
  auth0: useAuth0(),
  hub: 'https://hub.example',
  curtain: true,
  onSignedOut: (event: SignedOutEvent) => console.log(event.reason),
  onError: ({ code }) => console.log(code === 'not_allowed'),
});
const state: ComputedRef<SloState> = slo.state;
const signedOut: ComputedRef<SignedOutEvent | undefined> = slo.signedOut;
void [state, signedOut, slo.isReady.value satisfies boolean, slo.idleSecondsLeft.value];
void slo.logout({ scope: 'user', reason: 'Bye', redirect: false, logoutParams: { returnTo: '/bye' } });

h(SignedOutNotice, { event: signedOut.value, heading: 'Bye', message: 'See you', class: 'mine' }, () => 'Sign in');

h(SignedOutNotice, { event: signedOut.value, messages: { idle: 'Zu lange nichts getan.' } });
h(IdleWarning, { client: slo.client.value, message: 'Abmeldung in {time}', stay: 'Bleiben', signOut: 'Abmelden' });

// @ts-expect-error the plugin is needed
useSlo({ hub: '' });
// @ts-expect-error the adapter sees to getToken
useSlo({ auth0: client, hub: '', getToken: () => null });
// @ts-expect-error a heading is a text
h(SignedOutNotice, { event: signedOut.value, heading: 7 });
