import http from 'node:http';
import { fileCursor, watchLogouts } from '@slo-hub/node';
import { beginSignIn, finishSignIn, page, sessionOf, sessions } from './session.js';

const { CLIENT_ID, HUB, HUB_SECRET, PORT } = process.env;

const cursor = fileCursor('logouts.cursor');
const onError = ({ code }) => console.error('the hub:', code);
watchLogouts({ hub: HUB, clientId: CLIENT_ID, secret: HUB_SECRET, cursor, onError }, sessions);

async function answer({ url, headers }, res) {
  switch (url.split('?')[0]) {
    case '/login': {
      const { address, cookie } = await beginSignIn();
      return res.writeHead(303, { location: address, 'set-cookie': cookie }).end();
    }
    case '/callback': {
      const cookie = await finishSignIn(url, headers.cookie);
      return res.writeHead(303, { location: '/', 'set-cookie': cookie }).end();
    }
    case '/': {
      const html = page(await sessionOf(headers.cookie));
      return res.writeHead(200, { 'content-type': 'text/html', 'cache-control': 'no-store' }).end(html);
    }
    default:
      return res.writeHead(404).end();
  }
}

const server = http.createServer((req, res) => {
  answer(req, res).catch(({ name }) => {
    console.error('not answered:', name);
    res.writeHead(500).end();
  });
});
server.listen(PORT);
