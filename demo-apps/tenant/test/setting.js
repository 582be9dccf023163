import http from 'node:http';
import net from 'node:net';
import { createTenant } from '../lib/tenant.js';
import { DEMO_HUB, DEMO_MANAGEMENT, DEMO_USERS, demoClients } from '../lib/demo.js';
import { Browser } from './browser.js';

/** A tenant on a free port, and in the hub's place a server that keeps what it is sent. */
export async function startTenant({ desk, ...options } = {}) {
  const received = [];
  const hub = http.createServer(async (req, res) => {
    const chunks = [];
    for await (const chunk of req) chunks.push(chunk);
    received.push({ url: req.url, form: new URLSearchParams(Buffer.concat(chunks).toString()) });
    res.end();
  });
  await new Promise((resolve) => hub.listen(0, '127.0.0.1', resolve));
  const hubUrl = `http://localhost:${hub.address().port}`;
  const apps = { notes: 'http://notes.localhost:4010', shop: 'http://shop.localhost:4011', ...(desk && { desk }) };
  const clients = demoClients({ hub: hubUrl, ...apps });
  const tenant = await createTenant({ port: await freePort(), users: DEMO_USERS, clients, hubUrl, ...options });
  await tenant.listen();
  return {
    tenant,
    notes: clients[0],
    shop: clients[1],
    hub: clients.find(({ client_id: id }) => id === DEMO_HUB.client_id),
    browser: () => new Browser(tenant.issuer),
    /** The logout tokens that have arrived, once none is under way any more. */
    async logoutTokens() {
      await tenant.backchannel.settled();
      return received.map(({ form }) => form.get('logout_token'));
    },
    api: (method, path, body) => callApi(tenant, method, path, body),
    async close() {
      await tenant.close();
      hub.closeAllConnections();
      await new Promise((resolve) => hub.close(resolve));
    },
  };
}

async function callApi(tenant, method, path, body) {
  const { access_token: token } = await new Browser(tenant.issuer).token({
    grant_type: 'client_credentials',
    audience: `${tenant.issuer}api/v2/`,
    ...DEMO_MANAGEMENT,
  });
  const response = await fetch(new URL(path, tenant.issuer), {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text && JSON.parse(text) };
}

function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
