import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApiClient, type ApiClient } from './index.js';

const record = (tool: string) => ({
  callId: '0198c1f0-0000-7000-8000-000000000001',
  timestamp: '2026-11-22T08:00:00.000Z',
  method: 'tools/call',
  agent: 'a',
  operator: null,
  server: 's',
  tool,
  args: null,
  argsTruncated: false,
  argsCapture: 'full',
  status: 'success',
  decision: 'allow',
  reason: null,
  grantId: null,
  shadowDecision: null,
  shadowGrantId: null,
  keyId: null,
  task: null,
  onBehalfOf: null,
  claimedAgent: null,
  revision: 1,
  definitionHash: null,
  durationMs: 1,
  upstreamMs: 1,
  result: null,
  traceId: null,
  node: 'n',
  boot: null,
  seq: 1,
});
const told = (id: string, tool: string): string => `id: ${id}\ndata: ${JSON.stringify(record(tool))}\n\n`;

let server: Server;
let api: ApiClient;
let answers: ((response: ServerResponse) => void)[] = [];
const asked: (string | undefined)[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request.headers['last-event-id']?.toString());
    const answer = answers.shift();
    if (answer !== undefined) return answer(response);
    response.writeHead(403, { 'content-type': 'application/problem+json' }).end(JSON.stringify({ type: 'about:blank', title: 'No', status: 403 }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  api = createApiClient({ baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: 'op_token' });
});
afterAll(() => server.close());

test('a tail that breaks goes on behind the last whole event, and ends when it may not go on', async () => {
  answers = [
    (response) => {
      // The second event's id has come, its content has not.
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`id: 0\n\n${told('1', 'first')}id: 2\ndata: {"cal`, () => setImmediate(() => response.destroy()));
    },
    (response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(told('2', 'second')),
  ];
  const seen: (string | null)[] = [];
  const read = async (): Promise<void> => {
    for await (const { tool } of api.audit.tail()) seen.push(tool);
  };
  await expect(read()).rejects.toThrow('No');
  expect(seen).toEqual(['first', 'second']);
  expect(asked).toEqual([undefined, '1', '2']);
});
