// The least that opening a stream costs: a server that answers the first bytes of each connection with the head of a stream and holds it open.
// Prints its address when it listens.
import { createServer } from 'node:net';

const OPENED = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n: open\n\n';

const server = createServer({ noDelay: true }, (socket) => {
  socket.once('data', () => socket.write(OPENED));
  socket.on('error', () => socket.destroy());
});
server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => console.log(`http://127.0.0.1:${server.address().port}`));
