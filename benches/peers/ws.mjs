// The least that a server with `ws` does: a map from a channel to its sockets.
import { WebSocketServer } from 'ws';
import { publishing, serve } from './serving.mjs';

const channels = new Map();
const server = publishing((channel, event) => {
  for (const socket of channels.get(channel) ?? []) socket.send(event);
});
// Compression is off by default.
new WebSocketServer({ server, clientTracking: false, maxPayload: 16_384 }).on('connection', (socket) => {
  socket.once('message', (data) => {
    const channel = JSON.parse(data).token;
    const listeners = channels.get(channel) ?? new Set();
    channels.set(channel, listeners.add(socket));
    socket.once('close', () => {
      listeners.delete(socket);
      if (listeners.size === 0) channels.delete(channel);
    });
    socket.send('{"type":"subscribed"}');
  });
});
serve(server);
