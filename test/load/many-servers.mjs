// As many MCP servers as anybody asks for in one process: POST /<any path>/mcp, of the older era, ten tools each, at as many ports as the first argument says.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { toolsOf } from './registry-words.mjs';

const answer = async (request, response) => {
  if (request.method !== 'POST') return response.writeHead(405).end();
  const message = JSON.parse(await text(request));
  if (message.id === undefined) return response.writeHead(202).end();
  const say = (result) => response.end(JSON.stringify({ jsonrpc: '2.0', id: message.id, result }));
  response.setHeader('content-type', 'application/json');
  if (message.method === 'initialize')
    return say({ protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'many', version: '1' } });
  if (message.method === 'tools/list') return say({ tools: toolsOf(Number(/\d+/.exec(request.url)?.[0] ?? 0)) });
  return response.writeHead(400).end('{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"Bad Request"}}');
};
const ports = Array.from({ length: Number(process.argv[2] ?? 1) }, async () => {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server.address().port;
});
console.log((await Promise.all(ports)).join(' '));
process.once('disconnect', () => process.exit());
