// Socket.IO with rooms, over WebSocket alone. Its page on memory says to let go of the
// first request of every socket; compression is off by default.
import { Server } from 'socket.io';
import { publishing, serve } from './serving.mjs';

const server = publishing((channel, event) => io.to(channel).emit('slo-event', JSON.parse(event)));
const io = new Server(server, { transports: ['websocket'], serveClient: false });
io.engine.on('connection', (raw) => {
  raw.request = null;
});
io.on('connection', (socket) => {
  socket.on('join', (channel, done) => {
    socket.join(channel);
    done();
  });
});
serve(server);
