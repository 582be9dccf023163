import { createAuth0 } from '@auth0/auth0-vue';
import { createApp } from 'vue';
import App from './App.vue';

createApp(App)
  .use(createAuth0({
    domain: 'acme.eu.auth0.com',
    clientId: 'notes',
    authorizationParams: { redirect_uri: location.origin },
    useRefreshTokens: true,
    cacheLocation: 'localstorage',
  }))
  .mount('#app');
