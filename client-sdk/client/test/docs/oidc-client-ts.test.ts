// @vitest-environment happy-dom
// @vitest-environment-options { "url": "https://notes.example/" }
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ISSUER } from '../hub.js';
import { body, example, Story } from './story.js';

const METADATA = {
  issuer: ISSUER,
  authorization_endpoint: `${ISSUER}authorize`,
  token_endpoint: `${ISSUER}oauth/token`,
  end_session_endpoint: `${ISSUER}oidc/logout`,
};

let app: Story;
beforeEach(() => {
  app = new Story(body('oidc-client-ts/index.html'), () => import(/* @vite-ignore */ example('oidc-client-ts/main.ts')));
  app.browser.provider = () => Response.json(METADATA);
});
afterEach(() => app.close());

/** Signs in by the button, at the provider, and comes back. */
async function openSignedIn(): Promise<void> {
  await app.open();
  await app.goesToSignIn(METADATA.authorization_endpoint);
  history.replaceState(null, '', app.browser.tenant.signIn(app.browser.navigated.pop()!));
  await app.open();
  await app.browser.see(() => app.text.includes('Signed in as Ada Lovelace'));
  expect(location.search).toBe('');
}

describe('docs/oidc-client-ts.md', () => {
  it('shows nobody the way to sign in', async () => {
    await app.open();
    await app.seesNobody();
  });

  it('signs in, hears of a sign-out elsewhere, and tells', async () => {
    await openSignedIn();
    expect(app.browser.hub.connections).toHaveLength(1);
    await app.isSignedOutElsewhere();
    expect(Object.keys(localStorage).filter((key) => key.startsWith('oidc.user:'))).toEqual([]);
    await app.goesToSignIn(METADATA.authorization_endpoint);
  });

  it('signs out everywhere by its button', async () => {
    await openSignedIn();
    await app.signsOut();
  });
});
