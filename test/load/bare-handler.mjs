// The least that a list costs: a bare node:http handler that answers every request with the bytes given on standard input.
// Prints its address when it listens.
import { createServer } from 'node:http';

const parts = [];
for await (const part of process.stdin) parts.push(part);
const body = Buffer.concat(parts);
const server = createServer((request, response) => {
  request.resume();
  request.on('end', () => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
    response.end(body);
  });
});
server.keepAliveTimeout = 600_000;
server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => console.log(`http://127.0.0.1:${server.address().port}`));
