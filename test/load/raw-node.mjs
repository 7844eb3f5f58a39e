// The least that a proxy on Node costs: node:http in, undici out, nothing looked at.
//   node test/load/raw-node.mjs --upstream http://127.0.0.1:4100      prints its address when it listens
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { Pool } from 'undici';

const HOP_BY_HOP = new Set('connection keep-alive transfer-encoding host content-length expect upgrade te trailer proxy-authorization'.split(' '));
const { values } = parseArgs({ options: { upstream: { type: 'string' } } });
const pool = new Pool(values.upstream, { connections: 128, pipelining: 1, keepAliveTimeout: 60_000 });

const server = createServer((request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    const body = parts.length === 1 ? parts[0] : Buffer.concat(parts);
    const headers = pairs(request.rawHeaders).filter(([name]) => !HOP_BY_HOP.has(name.toLowerCase()));
    pool.dispatch({ path: request.url, method: request.method, headers: headers.flat(), body }, answerInto(response));
  });
});
server.keepAliveTimeout = 600_000;
server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => console.log(`http://127.0.0.1:${server.address().port}`));

function pairs(raw) {
  const found = [];
  for (let at = 0; at < raw.length; at += 2) found.push([raw[at], raw[at + 1]]);
  return found;
}

const answerInto = (response) => ({
  onRequestStart() {},
  onResponseStart(controller, status, headers) {
    const kept = Object.entries(headers).filter(([name]) => name === 'content-length' || !HOP_BY_HOP.has(name));
    response.writeHead(status, kept.flat());
  },
  onResponseData(controller, chunk) {
    if (response.write(chunk)) return;
    controller.pause();
    response.once('drain', () => controller.resume());
  },
  onResponseEnd() {
    response.end();
  },
  onResponseError() {
    if (!response.headersSent) response.writeHead(502);
    response.end();
  },
});
