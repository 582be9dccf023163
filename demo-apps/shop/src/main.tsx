import './styles.css';
import { Auth0Provider } from '@auth0/auth0-react';
import { auth0Settings, CALLBACK, readConfig } from '@slo-hub-demo/shared';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app';
import type { Means } from './receipt';

const config = readConfig();
const means: Means = {
  hub: config.hub,
  storage: sessionStorage,
  fetch: (input, init) => fetch(input, init),
  now: Date.now,
  wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};
// Elsewhere a `code` in the address is none of Auth0's.
const isElsewhere = location.pathname !== CALLBACK;

createRoot(document.getElementById('app')!).render(
  <StrictMode>
    <Auth0Provider {...auth0Settings(config)} skipRedirectCallback={isElsewhere}>
      <App config={config} means={means} />
    </Auth0Provider>
  </StrictMode>,
);
