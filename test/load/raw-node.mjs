// The least that a proxy on Node costs: node:http in, undici out, nothing looked at.
//   node test/load/raw-node.mjs --upstream http://127.0.0.1:4100      prints its address when it listens
//   --parse    reads request and answer as JSON, and writes them anew under an id of its own: the least that a proxy costs which knows what it forwards
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { Pool } from 'undici';

const HOP_BY_HOP = new Set('connection keep-alive transfer-encoding host content-length expect upgrade te trailer proxy-authorization'.split(' '));
const { values } = parseArgs({ options: { upstream: { type: 'string' }, parse: { type: 'boolean', default: false } } });
const pool = new Pool(values.upstream, { connections: 128, pipelining: 1, keepAliveTimeout: 60_000 });

const server = createServer((request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    const body = parts.length === 1 ? parts[0] : Buffer.concat(parts);
    const headers = pairs(request.rawHeaders).filter(([name]) => !HOP_BY_HOP.has(name.toLowerCase()));
    const post = { path: request.url, method: request.method, headers: headers.flat() };
    if (values.parse) dispatchParsed(post, JSON.parse(body), response);
    else pool.dispatch({ ...post, body }, answerInto(response));
  });
});
server.keepAliveTimeout = 600_000;
server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => console.log(`http://127.0.0.1:${server.address().port}`));

function pairs(raw) {
  const found = [];
  for (let at = 0; at < raw.length; at += 2) found.push([raw[at], raw[at + 1]]);
  return found;
}

let count = 0;
function dispatchParsed(post, message, response) {
  const parts = [];
  const whole = {
    ...answerInto(response),
    onResponseStart() {},
    onResponseData: (controller, chunk) => void parts.push(chunk),
    onResponseEnd() {
      const { result } = JSON.parse(Buffer.concat(parts));
      const text = JSON.stringify({ jsonrpc: '2.0', id: message.id, result });
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
      response.end(text);
    },
  };
  pool.dispatch({ ...post, body: JSON.stringify({ ...message, id: `own-${(count += 1)}` }) }, whole);
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
