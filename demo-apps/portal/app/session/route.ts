import type { NextRequest } from 'next/server';
import { auth0 } from '../../lib/auth0';
import { lookOn } from '../../lib/lookers';

const HEADERS = {
  'Content-Type': 'text/event-stream',
  // Compression would hold the event back.
  'Cache-Control': 'no-store, no-transform',
  // A browser that asks again on the same connection would keep a server from stopping.
  Connection: 'close',
};

/**
 * A stream that says `over` once the session of this browser is. The cookie says which session, so no token has to be
 * where scripts are.
 */
export function GET(request: NextRequest): Response {
  let lookAway = () => {};
  const stream = new ReadableStream<string>({
    start(controller) {
      const end = () => {
        lookAway();
        controller.close();
      };
      const look = async () => {
        if (await auth0().getSession(request)) return;
        controller.enqueue('event: over\ndata:\n\n');
        end();
      };
      // What cannot be found out ends the stream, and so does a second look after the end; the browser asks again.
      const ended = () => void look().catch((fault: unknown) => (lookAway(), controller.error(fault)));
      lookAway = lookOn({ ended, stopping: end });
      controller.enqueue(': here\n\n');
      // It may have ended before anybody looked on.
      ended();
    },
    cancel: () => lookAway(),
  });
  return new Response(stream.pipeThrough(new TextEncoderStream()), { headers: HEADERS });
}
