import { SloError } from './errors.js';
import type { Page } from './page.js';
import type { SloOptions } from './types.js';

/** The hub as a page reaches it. No cookie goes there: who asks is said by what is presented, and by nothing else. */
export interface Hub {
  readonly WebSocket: typeof WebSocket;
  /** Without a slash at its end. */
  readonly base: string;
  /** Opens a stream of server-sent events. Rejects when the hub cannot be reached, as the next does. */
  stream(credential: string, signal: AbortSignal): Promise<Response>;
  /** Posts JSON to the API. The request outlives the page. */
  post(path: string, credential: string, body?: object): Promise<Response>;
}

export function reachHub({ hub, fetch, WebSocket }: SloOptions, page: Page): Hub {
  let base: string;
  try {
    base = new URL(hub).href.replace(/\/+$/, '');
  } catch (cause) {
    throw new SloError('bad_option', 'hub is no absolute URL', cause);
  }
  const send = fetch ?? page.fetch;
  return {
    WebSocket: WebSocket ?? page.WebSocket,
    base,
    stream: (credential, signal) =>
      send(`${base}/api/v1/events`, {
        signal,
        credentials: 'omit',
        headers: { Authorization: `Bearer ${credential}`, Accept: 'text/event-stream' },
      }),
    post: (path, credential, body) =>
      send(`${base}/api/v1/${path}`, {
        method: 'POST',
        keepalive: true,
        credentials: 'omit',
        headers: { Authorization: `Bearer ${credential}`, 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      }),
  };
}
