import { readFile } from 'node:fs/promises';

const SCRIPTS = new URL('../../../client-sdk/client/dist-iife/', import.meta.url);

/**
 * Puts a page with the SDK's elements on a site, at /account, as its docs have it for `<script>` tags. The site's server
 * keeps the session, and has the ID token.
 *
 * @param {import('./site.js').Site} site
 * @param {object} options
 * @param {string} options.hub
 * @param {() => Promise<string | undefined>} options.idToken the token of whoever is signed in
 * @param {() => Promise<unknown>} [options.signInAgain] what the page does when the person has to sign in again
 */
export function serveElements(site, { hub, idToken, signInAgain = async () => {} }) {
  for (const name of ['slo-hub.js', 'slo-hub-elements.js']) {
    site.serve(`/${name}`, async (_req, res) => {
      const script = await readFile(new URL(name, SCRIPTS));
      res.writeHead(200, { 'Content-Type': 'text/javascript; charset=utf-8' }).end(script);
    });
  }
  site.serve('/id-token', async (_req, res) => {
    const token = await idToken();
    res.writeHead(token ? 200 : 204, { 'Content-Type': 'text/plain' }).end(token);
  });
  site.serve('/end-session', (req, res) => {
    site.endSession(req, res);
    res.writeHead(204).end();
  });
  site.serve('/sign-in-again', async (_req, res) => {
    await signInAgain();
    res.writeHead(204).end();
  });
  site.serve('/account', page(site.name, hub));
}

const page = (name, hub) => `<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<style>body { font: 1rem/1.5 system-ui; margin: 1.5rem }</style>
<h1>${name}</h1>
<slo-signed-out></slo-signed-out>
<main><p>What nobody else may see</p><button>Save</button><slo-sessions></slo-sessions></main>
<slo-idle-warning></slo-idle-warning>
<script src="/slo-hub.js"></script>
<script src="/slo-hub-elements.js"></script>
<script>
  const notice = document.querySelector('slo-signed-out');
  const slo = SloHub.createSlo({
    hub: '${hub}',
    async getToken() {
      const response = await fetch('/id-token');
      return response.status === 200 ? response.text() : null;
    },
    async onSignedOut(event) {
      document.querySelector('main')?.remove();
      await fetch('/end-session');
      notice.event = event;
    },
  });
  slo.on('state', ({ state }) => (document.body.dataset.state = state));
  document.querySelector('slo-idle-warning').client = slo;
  const list = document.querySelector('slo-sessions');
  list.client = slo;
  list.addEventListener('slo-fresh-sign-in', ({ detail }) => detail.waitUntil(fetch('/sign-in-again')));
</script>`;
