// What both servers on Node have in common: events come by POST /publish/CHANNEL with the
// event as the body; POST /collect collects the garbage, so that it is not taken for what
// an idle socket holds.
import { createServer } from 'node:http';

/** An HTTP server that hands every event to `tell(channel, event)`. */
export function publishing(tell) {
  return createServer((request, response) => {
    if (request.url === '/collect') {
      globalThis.gc();
      response.writeHead(204).end();
      return;
    }
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      tell(request.url.slice('/publish/'.length), Buffer.concat(chunks).toString());
      response.writeHead(201, { 'content-length': 0 }).end();
    });
  });
}

/** Listens on the port that the command line says. */
export function serve(server) {
  server.keepAliveTimeout = 600_000;
  server.listen({ port: Number(process.argv[2]), host: '127.0.0.1', backlog: 4096 });
}
