import assert from 'node:assert/strict';
import { test } from 'node:test';
import express from 'express';
import { auth } from 'express-openid-connect';
import { decodeJwt } from 'jose';
import { DEMO_DESK } from '@slo-hub-demo/tenant/demo';
import { backchannelLogout } from '@slo-hub/node';
import { startTenant } from '../../tenant/test/setting.js';
import { Browser, freePort } from './setting.js';

const ADA = 'auth0|ada';

/** What of express-openid-connect these hooks are for: the same app, with the library's own and with ours. */
for (const [whose, hooksWith, stay] of [
  ['the library’s own hooks', (store) => ({ store }), { phone: false, endedOne: true }],
  ['our hooks', (store) => backchannelLogout({ store }), { phone: true, endedOne: false }],
]) {
  test(`with ${whose}, when the laptop signs out the phone is signed ${stay.phone ? 'in still' : 'out too'}`, async (t) => {
    const { signIn, end } = await startApp(t, hooksWith);
    const [laptop, phone] = [await signIn(), await signIn()];
    await end({ sid: await sidOf(laptop), sub: ADA });
    assert.equal(await laptop.page(), 'out');
    assert.equal(await phone.page(), stay.phone ? 'in' : 'out');
  });

  test(`with ${whose}, a later sign-in brings a session that was ended ${stay.endedOne ? 'back' : 'not back'}`, async (t) => {
    const { signIn, end } = await startApp(t, hooksWith);
    const phone = await signIn();
    await end({ sub: ADA });
    await signIn();
    assert.equal(await phone.page(), stay.endedOne ? 'in' : 'out');
  });
}

/** The smallest app there is: it says whether one is signed in. */
async function startApp(t, hooksWith) {
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const { tenant, close } = await startTenant({ desk: url });
  const app = express();
  app.use(
    auth({
      ...{ issuerBaseURL: tenant.issuer, baseURL: url, secret: 'a-secret-for-one-test-run' },
      ...{ clientID: DEMO_DESK.client_id, clientSecret: DEMO_DESK.client_secret },
      ...{ authRequired: false, enableTelemetry: false, authorizationParams: { response_type: 'code' } },
      backchannelLogout: hooksWith(inMemory()),
    }),
  );
  app.get('/token', (req, res) => res.send(req.oidc.idToken));
  app.get('/', (req, res) => res.send(req.oidc.isAuthenticated() ? 'in' : 'out'));
  const server = await new Promise((resolve) => {
    const listening = app.listen(port, '127.0.0.1', () => resolve(listening));
  });
  t.after(async () => {
    server.closeAllConnections();
    server.close();
    await close();
  });
  return {
    async signIn() {
      const browser = new Browser(url);
      await browser.signIn(ADA);
      return browser;
    },
    async end(subject) {
      const token = await tenant.backchannel.logoutToken({ clientId: DEMO_DESK.client_id, ...subject });
      const body = new URLSearchParams({ logout_token: token });
      assert.equal((await fetch(`${url}/backchannel-logout`, { method: 'POST', body })).status, 204);
    },
  };
}

async function sidOf(browser) {
  return decodeJwt(await browser.page('/token')).sid;
}

function inMemory() {
  const kept = new Map();
  return {
    get: async (id) => kept.get(id),
    set: async (id, value) => void kept.set(id, value),
    destroy: async (id) => void kept.delete(id),
  };
}
