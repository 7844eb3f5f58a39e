// A very fast fake MCP server, so that what is measured is the way to it: node test/load/upstream.mjs [--port 0]
// /mcp offers ten tools, /tools/<n>/mcp offers n. Prints its address when it listens.
import { createServer } from 'node:net';
import { parseArgs } from 'node:util';
import { answerMessage } from './answer-message.mjs';
import { MessageReader } from './message-reader.mjs';

const REASONS = { 200: 'OK', 202: 'Accepted', 400: 'Bad Request', 404: 'Not Found', 405: 'Method Not Allowed' };
const LARGE_CHARACTERS = 16_384;

const { values } = parseArgs({ options: { port: { type: 'string', default: '0' } } });
const server = createServer({ noDelay: true }, (socket) => {
  const reader = new MessageReader(
    'request',
    (request) => reply(socket, request, answer(request)),
    () => socket.destroy(),
  );
  socket.on('data', (data) => reader.push(data));
  socket.on('error', () => socket.destroy());
});
server.listen({ host: '127.0.0.1', port: Number(values.port), backlog: 4096 }, () => console.log(`http://127.0.0.1:${server.address().port}`));

function answer({ method, url, headers, body }) {
  const tools = url === '/mcp' ? 10 : Number(/^\/tools\/(\d+)\/mcp$/.exec(url)?.[1] ?? 0);
  if (tools === 0) return { status: 404, body: '' };
  if (method !== 'POST') return { status: 405, body: '' };
  return answerMessage(body?.utf8Slice() ?? '', headers['mcp-protocol-version'], tools);
}

function reply(socket, request, answered) {
  if (answered.events === undefined) return send(socket, request, answered);
  const event = (json) => `event: message\ndata: ${json}\n\n`;
  const chunks = answered.events.map(event).map((text) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`);
  const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';
  socket.cork();
  for (const piece of [head, ...chunks, '0\r\n\r\n']) socket.write(piece);
  socket.uncork();
}

/** One write for a small answer; for a large one no copy into one string. */
function send(socket, request, { status, body }) {
  const isLast = request.headers.connection === 'close';
  const large = body.length > LARGE_CHARACTERS ? Buffer.from(body) : undefined;
  const type = body === '' ? '' : 'content-type: application/json\r\n';
  const length = `content-length: ${large?.length ?? Buffer.byteLength(body)}\r\n`;
  const head = `HTTP/1.1 ${status} ${REASONS[status]}\r\n${type}${length}${isLast ? 'connection: close\r\n' : ''}\r\n`;
  socket.cork();
  socket.write(large ? head : head + body);
  if (large) socket.write(large);
  socket.uncork();
  if (isLast) socket.end();
}
