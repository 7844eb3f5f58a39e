// A fake MCP server whose tools fail as servers do: node test/load/faulty-upstream.mjs
// /<fault>/mcp lists ten tools like any other, and calls of them: `hang` are never answered, `slow` take 5 s every other time, `flap` are answered
// with 503 for two seconds of every four, `endless` are answered by progress that never ends, `oversize` with 12 MiB. Prints its address when it listens.
import { createServer } from 'node:http';
import { answerMessage } from './answer-message.mjs';

const [SLOW_MS, FLAP_MS, DOWN_MS, PROGRESS_MS, OVERSIZE_BYTES] = [5_000, 4_000, 2_000, 5, 12 * 1024 * 1024];
const oversize = Buffer.alloc(OVERSIZE_BYTES, 'x');
const progress = JSON.stringify({
  jsonrpc: '2.0',
  method: 'notifications/progress',
  params: { progressToken: 'p', progress: 1, message: 'x'.repeat(4_000) },
});
let calls = 0;

const faults = {
  hang: () => undefined,
  slow: (response, answer) => {
    calls += 1;
    if (calls % 2 === 0) return answer();
    const waiting = setTimeout(() => answer(), SLOW_MS);
    response.once('close', () => clearTimeout(waiting));
  },
  flap: (response, answer) => (performance.now() % FLAP_MS < DOWN_MS ? response.writeHead(503).end() : answer()),
  endless: (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    // At a steady pace: what is measured is what it holds, not what two cores can copy.
    const writing = setInterval(() => response.writableNeedDrain || response.write(`event: message\ndata: ${progress}\n\n`), PROGRESS_MS);
    response.once('close', () => clearInterval(writing));
  },
  oversize: (response, _answer, id) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{"resultType":"complete","content":[{"type":"text","text":"`);
    response.end(Buffer.concat([oversize, Buffer.from('"}]}}')]));
  },
};

const server = createServer(async (request, response) => {
  response.on('error', () => undefined);
  const parts = [];
  for await (const part of request) parts.push(part);
  const fault = faults[/^\/(\w+)\/mcp$/.exec(request.url)?.[1] ?? ''];
  if (fault === undefined || request.method !== 'POST') return response.writeHead(fault === undefined ? 404 : 405).end();
  const text = Buffer.concat(parts).toString();
  const { id, method } = JSON.parse(text);
  const answer = () => {
    const { status, body } = answerMessage(text, request.headers['mcp-protocol-version'], 10);
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  };
  return method === 'tools/call' ? fault(response, answer, id) : answer();
});
server.keepAliveTimeout = 600_000;
server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => console.log(`http://127.0.0.1:${server.address().port}`));
