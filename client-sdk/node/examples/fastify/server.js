import Fastify from 'fastify';
import { verifyHubLogoutToken } from '@slo-hub/node';
import { beginSignIn, finishSignIn, page, sessionOf, sessions } from './session.js';

const { CLIENT_ID, HUB, ISSUER, PORT } = process.env;
const app = Fastify();

app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, async (_request, body) =>
  Object.fromEntries(new URLSearchParams(body)),
);

// The hub calls this with a token that it has signed, once for each logout, and again where it gets a 5xx.
app.post('/slo', async (request, reply) => {
  try {
    const logout = await verifyHubLogoutToken(request.body?.logout_token, { hub: HUB, clientId: CLIENT_ID, issuer: ISSUER });
    await sessions.deleteByLogoutToken(logout);
    return reply.code(204).send();
  } catch (error) {
    return reply.code(error.code === 'invalid_token' ? 400 : 503).send();
  }
});

app.get('/login', async (_request, reply) => {
  const { address, cookie } = await beginSignIn();
  return reply.header('set-cookie', cookie).redirect(address, 303);
});

app.get('/callback', async (request, reply) => {
  const cookie = await finishSignIn(request.url, request.headers.cookie);
  return reply.header('set-cookie', cookie).redirect('/', 303);
});

app.get('/', async (request, reply) => {
  const html = page(await sessionOf(request.headers.cookie));
  return reply.type('text/html').header('cache-control', 'no-store').send(html);
});

await app.listen({ port: Number(PORT) });
