/** The Angular adapter takes auth0-angular's service. Compiled against the built declarations, never run. */
import { inject, type ApplicationConfig, type Signal } from '@angular/core';
import { AuthService, provideAuth0 } from '@auth0/auth0-angular';
import type { IdleClient } from '@slo-hub/client/elements';
import { provideSlo, Slo, type Auth0Service, type SignedOutEvent, type SloState } from '@slo-hub/client/angular';

declare const service: AuthService;
const used: Auth0Service = service;
void used;

const config: ApplicationConfig = {
  providers: [
    provideAuth0({ domain: 'acme.eu.auth0.com', clientId: 'notes' }),
    provideSlo({
      auth0: AuthService,
      hub: 'https://hub.example',
      curtain: true,
      onSignedOut: (event: SignedOutEvent) => console.log(event.reason),
      onError: ({ code }) => console.log(code === 'not_allowed'),
    }),
  ],
};
void config;

const slo: Slo = inject(Slo);
const state: Signal<SloState> = slo.state;
const signedOut: Signal<SignedOutEvent | undefined> = slo.signedOut;
const client: IdleClient | undefined = slo.client();
void [state, signedOut, slo.isReady() satisfies boolean, slo.idleSecondsLeft(), client];
void slo.logout({ scope: 'user', reason: 'Bye', redirect: false, logoutParams: { returnTo: '/bye' } });

// @ts-expect-error the service's class is needed
provideSlo({ hub: '' });
// @ts-expect-error its instance is the app's
provideSlo({ auth0: service, hub: '' });
// @ts-expect-error the adapter sees to getToken
provideSlo({ auth0: AuthService, hub: '', getToken: () => null });
// @ts-expect-error what is told is not set
slo.state.set('idle');
