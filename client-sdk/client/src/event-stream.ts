import type { Dial, Say } from './channel.js';
import { closeCodeOf, NO_ANSWER, readMessage } from './wire.js';

/** How long a stream may be silent, in ms: two of the hub's heartbeats (30 s at most), and a little. */
const SILENCE_MS = 65_000;

/**
 * Opens the channel as a stream of server-sent events, for networks that let no WebSocket through. By `fetch`, since
 * an `EventSource` cannot send the credential but in its address or a cookie.
 */
export function openEventStream(dial: Dial): Say {
  read(dial).then(dial.closed, () => dial.closed(NO_ANSWER));
  return () => false;
}

/** Reads to the end, and says how it ended. */
async function read({ hub, credential, signal, heard, closed }: Dial): Promise<number> {
  const response = await hub.stream(credential, signal);
  if (!response.ok) {
    // In the words of a channel: an error message, then a close code.
    const said = readMessage(await response.text());
    heard({ ...said, type: 'error' });
    return closeCodeOf(response.status, said?.['code']);
  }
  const reader = response.body!.getReader();
  const decoder = new TextDecoder();
  let silence: ReturnType<typeof setTimeout> | undefined;
  for (let text = ''; ; ) {
    clearTimeout(silence);
    silence = setTimeout(closed, SILENCE_MS, NO_ANSWER);
    const { done, value } = await reader.read();
    if (done) return NO_ANSWER;
    const lines = (text + decoder.decode(value, { stream: true })).split('\n');
    text = lines.pop()!;
    // The name of an event is in its data too.
    for (const line of lines) if (line.startsWith('data:')) heard(readMessage(line.slice(5)));
  }
}
