import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { DEMO_MANAGEMENT, DEMO_USERS, demoClients } from '../../../demo-apps/tenant/lib/demo.js';
import { createTenant } from '../../../demo-apps/tenant/lib/tenant.js';
import { createAppServer } from '../../../demo-apps/serve/serve.js';
import { AppPage } from './app-page.js';
import { launchBrowser } from './browser.js';
import { Feed } from './feed.js';
import { Hub, hubConfig } from './hub.js';
import { Line } from './line.js';
import { freePorts } from './ports.js';
import { WITHIN_MS } from './until.js';

const BACK_END = { clientId: 'back-end', secret: 'a-secret-for-one-test-run' };

/**
 * Everything the demo has, on ports of its own: the hub, a tenant, two apps on two sites, a
 * browser, and a line between them and the hub that tests can cut.
 */
export async function startWorld() {
  const world = new World();
  await world.start();
  return world;
}

class World {
  #tabs = [];

  async start() {
    const [hub, line, admin, tenant, otherTenant, notes, shop] = await freePorts(7);
    this.urls = {
      hub: `http://localhost:${line}`,
      notes: `http://notes.localhost:${notes}`,
      shop: `http://shop.localhost:${shop}`,
    };
    this.folder = await mkdtemp(path.join(os.tmpdir(), 'slo-hub-e2e-'));
    this.line = new Line({ port: line, hub });
    this.tenant = await this.#tenantOn(tenant);
    this.otherTenant = await createTenant({ port: otherTenant, users: DEMO_USERS, clients: [] });
    this.apps = ['notes', 'shop'].map((name) => this.#appServer(name, { notes, shop }[name]));
    const config = hubConfig({ ports: { hub, line, admin }, issuers: [this.tenant.issuer, this.otherTenant.issuer], apps: this.#hubApps() });
    this.hub = new Hub({ folder: this.folder, admin, config });
    const parts = [this.line, this.tenant, this.otherTenant, ...this.apps].map((part) => part.listen());
    await Promise.all(parts);
    await this.hub.start();
    this.browser = await launchBrowser();
    this.feed = new Feed({ hub: this.urls.hub, ...BACK_END });
  }

  async close() {
    this.feed?.close();
    await this.browser?.close();
    await this.hub?.kill();
    await this.tenant?.close();
    await this.otherTenant?.close();
    await Promise.all((this.apps ?? []).map((app) => app.close()));
    await this.line?.close();
    await rm(this.folder, { recursive: true, force: true });
    const faults = this.#tabs.flatMap((tab) => tab.faults);
    if (faults.length > 0) throw new AggregateError(faults, `scripts failed in a page: ${faults[0].message}`);
  }

  /** Somebody with a browser of their own: its cookies and its storage are shared with nobody. */
  async person(name) {
    const context = await this.browser.newContext();
    context.setDefaultTimeout(WITHIN_MS);
    return {
      name,
      context,
      /** Opens the app in a new tab. */
      open: (app, at) => this.#openTab(context, app, { name, at }),
      /** Opens the app in a new tab and signs in there. */
      signInTo: async (app) => {
        const page = await this.#openTab(context, app, { name });
        await page.signIn();
        return page;
      },
      account: async () => {
        const page = await context.newPage();
        await page.goto(`${this.tenant.issuer}account`);
        return page;
      },
    };
  }

  /** Calls the tenant's Management API with a token of its own. */
  async managementApi(method, url, body) {
    const { issuer } = this.tenant;
    const form = { grant_type: 'client_credentials', audience: `${issuer}api/v2/`, ...DEMO_MANAGEMENT };
    const answer = await fetch(`${issuer}oauth/token`, { method: 'POST', body: new URLSearchParams(form) });
    const { access_token: token } = await answer.json();
    const response = await fetch(`${issuer}api/v2/${url}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${await response.text()}`);
    const text = await response.text();
    return text === '' ? undefined : JSON.parse(text);
  }

  async #openTab(context, app, { name, at }) {
    const page = new AppPage({ page: await context.newPage(), origin: this.urls[app], person: name });
    this.#tabs.push(page);
    await page.watch();
    await page.open(at);
    return page;
  }

  #tenantOn(port) {
    const { hub, notes, shop } = this.urls;
    return createTenant({ port, users: DEMO_USERS, clients: demoClients({ hub, notes, shop }), hubUrl: hub });
  }

  #appServer(name, port) {
    return createAppServer({
      dir: new URL(`../../../demo-apps/${name}/dist`, import.meta.url),
      port,
      config: { hub: this.urls.hub, issuer: this.tenant.issuer, clientId: `spa-${name}` },
    });
  }

  #hubApps() {
    const { issuer } = this.tenant;
    return [
      { clientId: 'spa-notes', issuer, name: 'Notes', origin: this.urls.notes },
      { clientId: 'spa-shop', issuer, name: 'Shop', origin: this.urls.shop },
      { ...BACK_END, issuer, name: 'Back end' },
      { clientId: 'other-app', issuer: this.otherTenant.issuer, name: 'Another company’s app', nativeApp: true },
    ];
  }
}
