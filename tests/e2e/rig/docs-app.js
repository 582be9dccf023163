import http from 'node:http';
import { sendPage } from './site.js';

/**
 * A single-page app as the SDK's docs have it for a framework, word for word: somebody pasted it
 * into the framework's starter, and put in their tenant, client id and hub.
 */
export class DocsApp {
  #server;
  #settings;
  #bundle;

  /**
   * @param {object} options
   * @param {'react' | 'vue' | 'angular'} options.framework
   * @param {number} options.port
   * @param {string} options.hub
   * @param {string} options.issuer
   */
  constructor({ framework, port, hub, issuer }) {
    Object.assign(this, { framework, port });
    this.name = framework[0].toUpperCase() + framework.slice(1);
    this.clientId = `spa-${framework}`;
    this.origin = `http://${framework}.localhost:${port}`;
    this.#settings = { domain: new URL(issuer).origin, clientId: this.clientId, hub, reason: `You signed out in ${this.name}` };
    this.#server = http.createServer((req, res) => this.#answer(req, res));
  }

  /** As it is registered at the tenant. */
  tenantClient(hub) {
    return {
      client_id: this.clientId,
      name: this.name,
      app_type: 'spa',
      callbacks: [this.origin],
      web_origins: [this.origin],
      allowed_logout_urls: [this.origin, `${hub}/logout/callback`],
    };
  }

  async listen() {
    // Only now: the other stories need not wait for compilers.
    const { bundleExample } = await import('../../../client-sdk/client/examples/bundle.mjs');
    this.#bundle = await bundleExample(this.framework, this.#settings);
    await new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.port, '127.0.0.1', resolve);
    });
  }

  close() {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(req, res) {
    const { script, element } = this.#bundle;
    if (req.url === '/main.js') return res.writeHead(200, { 'Content-Type': 'text/javascript; charset=utf-8' }).end(script);
    if (req.url === '/favicon.ico') return res.writeHead(204).end();
    const look = '<meta name="color-scheme" content="light dark"><style>body { font: 1rem/1.5 system-ui; margin: 2rem }</style>';
    return sendPage(res, `${look}${element}<script type="module" src="/main.js"></script>`);
  }
}
