// @vitest-environment happy-dom
// @vitest-environment-options { "url": "https://notes.example/" }
import { afterEach, beforeEach, describe, it } from 'vitest';
import { example, Story } from './story.js';

let app: Story;
beforeEach(() => void (app = new Story('<div id="root"></div>', () => import(/* @vite-ignore */ example('react/src/main.tsx')))));
afterEach(() => app.close());

describe('docs/react.md', () => {
  it('shows nobody the way to sign in', async () => {
    await app.open();
    await app.seesNobody();
    await app.goesToSignIn('https://acme.eu.auth0.com/authorize');
  });

  it('hears of a sign-out elsewhere, and tells', async () => {
    await app.openSignedIn();
    await app.isSignedOutElsewhere();
    await app.goesToSignIn('https://acme.eu.auth0.com/authorize');
  });

  it('signs out everywhere by its button', async () => {
    await app.openSignedIn();
    await app.signsOut();
  });
});
