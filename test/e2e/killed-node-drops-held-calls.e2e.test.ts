import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tamperWith } from '@portcullis/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { auditRowsOf } from './audit-rows.js';
import { apiOf, freshSlug } from './demo-stack.js';
import { type OwnStack, startOwnStack } from './own-stack.js';
import { jsonHeaders, messageIn, send } from './raw-mcp.js';
import { grantedAgent } from './register-server.js';

const slug = freshSlug('asking');
const agent = freshSlug('asked');
const patient = { timeout: 30_000, interval: 50 };
const answers = { action: 'accept', content: { name: 'Ada' } };
const schema = { type: 'object', properties: { name: { type: 'string' } } };

let stack: OwnStack;
let server: Server;
let key: string;
let told = 0;

/** A server of the legacy era with one tool, which asks for a name on the stream of its call and greets whoever answers. */
function startAskingServer(): Server {
  let ask: { id: unknown; say: (message: object) => void; end: () => void } | undefined;
  const question = { method: 'elicitation/create', params: { mode: 'form', message: 'Your name?', requestedSchema: schema } };
  return createServer((request, response) => {
    void (async () => {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part as Buffer);
      if (request.method !== 'POST') return void response.writeHead(405).end();
      const { id, method, result } = JSON.parse(Buffer.concat(parts).toString()) as { id?: unknown; method?: string; result?: unknown };
      if (result !== undefined) {
        told += 1;
        ask?.say({ id: ask.id, result: { content: [{ type: 'text', text: `Hello ${JSON.stringify(result)}` }] } });
        ask?.end();
      }
      if (method === undefined || id === undefined) return void response.writeHead(202).end();
      if (method === 'tools/call') {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        ask = {
          id,
          say: (message) => void response.write(`event: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`),
          end: () => void response.end(),
        };
        return ask.say({ id: 'q-1', ...question });
      }
      const results: Record<string, object> = {
        initialize: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'asking', version: '1' } },
        'tools/list': { tools: [{ name: 'greet', description: 'Greets', inputSchema: { type: 'object' } }] },
      };
      const found = results[method];
      const error = { code: -32601, message: 'Method not found' };
      response.writeHead(200, { 'content-type': 'application/json', ...(method === 'initialize' && { 'mcp-session-id': 's-1' }) });
      response.end(JSON.stringify({ jsonrpc: '2.0', id, ...(found === undefined ? { error } : { result: found }) }));
    })();
  });
}

interface Answer {
  readonly result?: { readonly resultType?: string; readonly requestState?: string; readonly inputRequests?: object; readonly content?: unknown };
  readonly error?: unknown;
}

/** One call of a client of 2026-07-28 that can be asked. */
async function greet(node: 0 | 1, more: object = {}): Promise<Answer> {
  const name = `${slug}__greet`;
  const envelope = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {} } },
  };
  const headers = { ...jsonHeaders(key), 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': name };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {}, ...more, _meta: envelope } });
  return messageIn(await send(`${stack.gatewayUrls[node]}/mcp`, { headers, body })) as Answer;
}

/** What a client brings back: the state, and an answer to the one question. */
function broughtBack({ result }: Answer): object {
  const [question = ''] = Object.keys(result?.inputRequests ?? {});
  return { requestState: result?.requestState, inputResponses: { [question]: answers } };
}

beforeAll(async () => {
  server = startAskingServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  stack = await startOwnStack({ demo: false });
  const api = apiOf(stack);
  await api.servers.create({ slug, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, approve: 'all' });
  await api.servers.discover(slug, { waitSeconds: 60 });
  key = await grantedAgent(api, { agent, server: slug, names: ['greet'] });
});
afterAll(async () => {
  await stack.stop();
  server.closeAllConnections();
  server.close();
});

test('a call whose node is killed while it waits for an answer is lost by name, on record without an end, and made anew at once', async () => {
  const asked = await greet(0);
  expect(asked).toMatchObject({ result: { resultType: 'input_required' } });
  const isRecorded = async (): Promise<boolean> => (await auditRowsOf(stack.databaseUrl, agent)).some(({ method }) => method === 'tools/call');
  await vi.waitUntil(isRecorded, patient);
  process.kill(stack.pids['gateway-1'] ?? 0, 'SIGKILL');
  expect(await greet(1, broughtBack(asked))).toMatchObject({
    error: { code: -32603, message: 'The call that waited for this input is gone', data: { reason: 'call_lost' } },
  });
  expect(told).toBe(0);

  const again = await greet(1);
  expect(await greet(1, broughtBack(again))).toMatchObject({ result: { content: [{ text: expect.stringContaining('Ada') as string }] } });
  expect(told).toBe(1);

  const statuses = async (): Promise<string[]> =>
    (await apiOf(stack).audit.events.page({ agent, method: 'tools/call' })).items.map(({ status }) => status);
  await vi.waitUntil(async () => (await statuses()).includes('success'), patient);
  expect(await statuses()).toContain('pending');
  // As it will be a while from now: nobody is left who could say how that call ended.
  await tamperWith(stack.databaseUrl, "UPDATE audit_event SET at = at - interval '20 minutes' WHERE agent = $1", [agent]);
  expect((await statuses()).filter((status) => ['unknown', 'pending'].includes(status))).toEqual(['unknown']);
});
