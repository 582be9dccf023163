import { bootstrapApplication } from '@angular/platform-browser';
import { AuthService, provideAuth0 } from '@auth0/auth0-angular';
import { provideSlo } from '@slo-hub/client/angular';
import { App } from './app';

bootstrapApplication(App, {
  providers: [
    provideAuth0({
      domain: 'acme.eu.auth0.com',
      clientId: 'notes',
      authorizationParams: { redirect_uri: location.origin },
      useRefreshTokens: true,
      cacheLocation: 'localstorage',
    }),
    provideSlo({ auth0: AuthService, hub: 'https://logout.example.com', curtain: true }),
  ],
}).catch(console.error);
