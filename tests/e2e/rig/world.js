import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { DEMO_DESK, DEMO_HUB, DEMO_MANAGEMENT, DEMO_PORTAL, DEMO_USERS, demoClients } from '../../../demo-apps/tenant/lib/demo.js';
import { createTenant } from '../../../demo-apps/tenant/lib/tenant.js';
import { createAppServer } from '../../../demo-apps/serve/serve.js';
import { AppPage } from './app-page.js';
import { launchBrowser } from './browser.js';
import { Desk } from './desk.js';
import { DocsApp } from './docs-app.js';
import { DocsPage } from './docs-page.js';
import { Feed } from './feed.js';
import { Hub, hubConfig } from './hub.js';
import { Line } from './line.js';
import { Portal, PORTAL_SECRET } from './portal.js';
import { freePorts } from './ports.js';
import { watchRows } from './rows.js';
import { Site } from './site.js';
import { WITHIN_MS } from './until.js';
import { leaveWithStory } from './visits.js';

/** The hub's own client at the tenant. */
const HUB_CLIENT = { clientId: DEMO_HUB.client_id, clientSecret: DEMO_HUB.client_secret };
/** An app that is no web page: a test speaks for it. */
export const KIOSK = 'native-kiosk';
const BACK_END = { clientId: 'back-end', secret: 'a-secret-for-one-test-run' };

/**
 * Everything the demo has, on ports of its own: the hub, a tenant, two apps on two sites, a
 * browser, and a line between them and the hub that tests can cut.
 *
 * @param {object} [options]
 * @param {Record<string, {frame?: string, chain?: string}>} [options.sites]
 *   server-rendered apps by name: the path of the page that the hub loads in a frame, and of the
 *   one that it sends the browser to
 * @param {string[]} [options.strangers] sites that are registered nowhere
 * @param {boolean} [options.hubClient] whether the hub is a client of the tenant itself
 * @param {boolean} [options.management] whether the hub may use the tenant's Management API
 * @param {Array<'react' | 'vue' | 'angular'>} [options.docs] apps of the SDK's docs, by framework
 * @param {boolean} [options.desk] whether Desk is there, the demo's app with sessions on its server
 * @param {object[]} [options.backEnds] apps with nothing but a back end, as the hub's configuration has them
 * @param {boolean} [options.portal] whether Portal is there, the demo's app by Next.js
 */
export async function startWorld(options = {}) {
  const world = new World(options);
  try {
    await world.start();
  } catch (error) {
    // Half a world has no one else to end it.
    await world.close().catch(() => undefined);
    throw error;
  }
  return world;
}

class World {
  #tabs = [];
  #options;

  constructor({ sites = {}, strangers = [], hubClient = false, management = false, docs = [], desk = false, portal = false, backEnds = [] }) {
    this.#options = { sites, strangers, hubClient, management, docs, desk, portal, backEnds };
  }

  async start() {
    const { docs } = this.#options;
    const names = [...Object.keys(this.#options.sites), ...this.#options.strangers];
    const ports = await freePorts(9 + names.length + docs.length);
    const [hub, line, admin, tenant, otherTenant, notes, shop, desk, portal, ...free] = ports;
    this.urls = {
      hub: `http://localhost:${line}`,
      console: `http://localhost:${admin}/console`,
      notes: `http://notes.localhost:${notes}`,
      shop: `http://shop.localhost:${shop}`,
      desk: `http://desk.localhost:${desk}`,
      portal: `http://portal.localhost:${portal}`,
    };
    this.folder = await mkdtemp(path.join(os.tmpdir(), 'slo-hub-e2e-'));
    this.line = new Line({ port: line, hub });
    const around = { hub: this.urls.hub, issuer: `http://localhost:${tenant}/` };
    const all = names.map((name, at) => [name, new Site({ name, port: free[at], ...around })]);
    this.sites = Object.fromEntries(all.filter(([name]) => name in this.#options.sites));
    this.strangers = Object.fromEntries(all.filter(([name]) => !(name in this.#options.sites)));
    this.docs = docs.map((framework, at) => new DocsApp({ framework, port: free[names.length + at], ...around }));
    for (const { framework, origin } of this.docs) this.urls[framework] = origin;
    this.tenant = await this.#tenantOn(tenant);
    this.otherTenant = await createTenant({ port: otherTenant, users: DEMO_USERS, clients: [] });
    this.apps = ['notes', 'shop'].map((name) => this.#appServer(name, { notes, shop }[name]));
    const issuers = [
      {
        issuer: this.tenant.issuer,
        ...(this.#options.hubClient && HUB_CLIENT),
        ...(this.#options.management && { management: DEMO_MANAGEMENT }),
      },
      { issuer: this.otherTenant.issuer },
    ];
    const config = hubConfig({ ports: { hub, line, admin }, issuers, apps: this.#hubApps() });
    this.hub = new Hub({ folder: this.folder, admin, config });
    const parts = [this.line, this.tenant, this.otherTenant, ...this.apps, ...this.#servers].map((part) => part.listen());
    await Promise.all(parts);
    await this.hub.start();
    this.desk = this.#options.desk ? new Desk({ url: this.urls.desk, folder: this.folder, ...around }) : undefined;
    this.portal = this.#options.portal ? new Portal({ url: this.urls.portal, folder: this.folder, ...around }) : undefined;
    await Promise.all([this.desk?.start(), this.portal?.start()]);
    this.browser = await launchBrowser();
    this.feed = new Feed({ hub: this.urls.hub, ...BACK_END });
  }

  /** The receipt of a logout, as a back end reads it. */
  async receipt(id) {
    const basic = Buffer.from(`${BACK_END.clientId}:${BACK_END.secret}`).toString('base64');
    const answer = await fetch(`${this.urls.hub}/api/v1/logouts/${id}`, { headers: { authorization: `Basic ${basic}` } });
    if (!answer.ok) throw new Error(`no receipt: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }

  /** The back end of the tenant's apps reports a logout; says the logout's id. */
  async backEndReports(body) {
    const basic = Buffer.from(`${BACK_END.clientId}:${BACK_END.secret}`).toString('base64');
    const headers = { authorization: `Basic ${basic}`, 'content-type': 'application/json' };
    const answer = await fetch(`${this.urls.hub}/api/v1/logouts`, { method: 'POST', headers, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`no logout: ${answer.status} ${await answer.text()}`);
    return (await answer.json()).id;
  }

  async close() {
    this.feed?.close();
    await this.browser?.close();
    await this.desk?.kill();
    await this.portal?.kill();
    await this.hub?.kill();
    await this.tenant?.close();
    await this.otherTenant?.close();
    await Promise.all([...(this.apps ?? []), ...this.#servers].map((app) => app.close()));
    await this.line?.close();
    await rm(this.folder, { recursive: true, force: true });
    const faults = this.#tabs.flatMap((tab) => tab.faults);
    if (faults.length > 0) throw new AggregateError(faults, `scripts failed in a page: ${faults[0].message}`);
  }

  /** Somebody with a browser of their own: its cookies and its storage are shared with nobody. */
  async person(name, options = {}) {
    const context = await this.browser.newContext(options);
    context.setDefaultTimeout(WITHIN_MS);
    leaveWithStory(() => context.close());
    return {
      name,
      context,
      /** What the logout page shows this person, from now on. */
      rows: await watchRows(context),
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
    const tab = { page: await context.newPage(), origin: this.urls[app], person: name };
    const page = this.#options.docs.includes(app) ? new DocsPage({ framework: app, ...tab }) : new AppPage(tab);
    this.#tabs.push(page);
    await page.watch();
    await page.open(at);
    return page;
  }

  /** An ID token of the session for an app that the tenant does not know, as the tenant would sign it. */
  async tokenFor(clientId, idToken) {
    const { iss, sub, sid } = JSON.parse(Buffer.from(idToken.split('.')[1], 'base64url').toString());
    const now = Math.floor(Date.now() / 1000);
    return this.tenant.sign({ iss, sub, sid, aud: clientId, iat: now, auth_time: now, exp: now + 600 });
  }

  /** The receipt, as the hub's own API tells it to the back end of the tenant's apps. */
  async receipt(id) {
    const basic = Buffer.from(`${BACK_END.clientId}:${BACK_END.secret}`).toString('base64');
    const response = await fetch(`${this.urls.hub}/api/v1/logouts/${id}`, { headers: { authorization: `Basic ${basic}` } });
    if (!response.ok) throw new Error(`the receipt: ${response.status} ${await response.text()}`);
    return response.json();
  }

  /** The receipt's rows for an app, for the logout of a session. */
  async deliveriesTo(clientId, { sid }) {
    const { id } = await this.feed.logout('the sign-out', (event) => event.sid === sid);
    const { deliveries } = await this.receipt(id);
    return deliveries.filter((delivery) => delivery.client_id === clientId);
  }

  get #siteList() {
    return Object.values(this.sites ?? {});
  }

  get #servers() {
    return [...this.#siteList, ...Object.values(this.strangers ?? {}), ...(this.docs ?? [])];
  }

  #tenantOn(port) {
    const sites = this.#siteList.map((site) => siteClient(site, this.urls.hub));
    const docs = this.docs.map((app) => app.tenantClient(this.urls.hub));
    const clients = [...demoClients(this.urls), ...sites, ...docs];
    return createTenant({ port, users: DEMO_USERS, clients, hubUrl: this.urls.hub });
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
      { clientId: KIOSK, issuer, name: 'Kiosk', nativeApp: true },
      ...this.#siteList.map((site) => this.#hubSite(site)),
      ...this.#options.backEnds.map((app) => ({ ...app, issuer })),
      ...this.docs.map(({ clientId, name, origin }) => ({ clientId, issuer, name, origin, goodbye: origin })),
      ...(this.#options.desk ? [this.#hubDesk()] : []),
      ...(this.#options.portal ? [this.#hubPortal()] : []),
      { clientId: 'other-app', issuer: this.otherTenant.issuer, name: 'Another company’s app', nativeApp: true },
    ];
  }

  #hubDesk() {
    const { desk: origin } = this.urls;
    const app = { clientId: DEMO_DESK.client_id, issuer: this.tenant.issuer, name: 'Desk', origin };
    return { ...app, backchannel: `${origin}/hub-logout`, backchannelToken: 'hub' };
  }

  #hubPortal() {
    const { portal: origin } = this.urls;
    const app = { clientId: DEMO_PORTAL.client_id, issuer: this.tenant.issuer, name: 'Portal', origin };
    return { ...app, secret: PORTAL_SECRET, backchannel: `${origin}/auth/backchannel-logout` };
  }

  #hubSite({ name, clientId, issuer, origin, goodbye }) {
    const { frame, chain } = this.#options.sites[name];
    const app = { clientId, issuer, name, origin, goodbye };
    return { ...app, ...(frame && { frontchannel: origin + frame }), ...(chain && { chain: origin + chain }) };
  }
}

function siteClient({ clientId, secret, name, origin, goodbye }, hub) {
  return {
    client_id: clientId,
    client_secret: secret,
    name,
    app_type: 'regular_web',
    callbacks: [`${origin}/callback`],
    allowed_logout_urls: [goodbye, `${hub}/logout/callback`],
  };
}
