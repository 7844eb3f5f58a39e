import { hangUpOn } from '@portcullis/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RunnerClient, stdioServer } from '../testing/runner-client.js';
import { ACCESS_TOKEN, TestRunner } from '../testing/test-runner.js';

let runner: TestRunner;
let client: RunnerClient;
beforeAll(async () => {
  runner = await TestRunner.start();
  client = new RunnerClient(runner.assign('shared', stdioServer()));
  await client.open();
});
afterAll(() => runner.close());

const message = (method: string, params: object): string => JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });

test('whoever hangs up on a runner, at whatever moment, ends neither it nor what it hosts', async () => {
  const request = (body: string, { line = 'POST /servers/shared/mcp HTTP/1.1', extra = [] as string[], token = ACCESS_TOKEN } = {}): string => {
    const headers = ['Host: localhost', `Authorization: Bearer ${token}`, 'Portcullis-Agent: agent-1', `Mcp-Session-Id: ${client.sessionId ?? ''}`];
    const type = ['Content-Type: application/json', 'Accept: application/json, text/event-stream', `Content-Length: ${body.length}`];
    return [line, ...headers, ...type, ...extra, '', body].join('\r\n');
  };
  const call = (name: string, args: object = {}): string => message('tools/call', { name, arguments: args, _meta: { progressToken: 1 } });
  const requests = {
    call: request(call('echo', { value: 1 })),
    'call with a long answer': request(call('echo', { value: 'x'.repeat(300_000) })),
    'calls on end': request(call('echo', { value: 'x'.repeat(10_000) })).repeat(5),
    progress: request(call('count')),
    'never answered': request(call('wait', { name: 'x' })),
    handshake: request(message('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } })),
    stream: request('', { line: 'GET /servers/shared/mcp HTTP/1.1' }),
    'to go on': request(call('echo', { value: 1 }), { extra: ['Expect: 100-continue'] }),
    upgrade: request(call('echo', { value: 1 }), { extra: ['Connection: Upgrade', 'Upgrade: websocket'] }),
    stranger: request('x'.repeat(100_000), { token: 'nobody' }),
    connect: 'CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n',
    malformed: 'POST /servers/shared/mcp HTTP/1.1\r\nHost : x\r\n\r\n',
  };
  const { port } = new URL(runner.urlOf('shared'));
  const answered = async (): Promise<void> => expect(await client.value('echo', { still: 'here' })).toEqual({ still: 'here' });
  expect(await hangUpOn(Number(port), requests, answered)).toEqual([]);
});
