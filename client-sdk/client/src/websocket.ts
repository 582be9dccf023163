import type { Dial, Say } from './channel.js';
import { readMessage } from './wire.js';

/** Opens the channel as a WebSocket. The credential goes into the first message, never into the address. */
export function openWebSocket({ hub, credential, signal, heard, closed }: Dial): Say {
  const socket = new hub.WebSocket(hub.base.replace('http', 'ws') + '/ws', 'slo.v1');
  const say: Say = (message) => {
    const isOpen = socket.readyState === 1;
    if (isOpen) socket.send(JSON.stringify(message));
    return isOpen;
  };
  socket.onopen = () => say({ type: 'subscribe', token: credential });
  socket.onmessage = (event) => heard(readMessage(event.data));
  socket.onclose = (event) => closed(event.code);
  signal.addEventListener('abort', () => socket.close());
  return say;
}
