import type { AddressInfo } from 'node:net';
import { hangUpOn } from '@portcullis/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FailedSignIns } from '../operators/failed-sign-ins.js';
import { startTestApp, type TestApp } from '../testing/start-test-app.js';

let own: TestApp;
let port: number;
beforeAll(async () => {
  own = await startTestApp();
  await own.app.listen(0, '127.0.0.1');
  ({ port } = own.app.getHttpServer().address() as AddressInfo);
});
afterAll(() => own.close());

test('whoever hangs up on the REST API, at whatever moment, does not end the control plane', async () => {
  const request = (line: string, { body = '', type = 'application/json', extra = [] as string[], token = own.admin } = {}): string => {
    const content =
      body === '' ? [] : [`Content-Type: ${type}`, ...(extra.includes('Transfer-Encoding: chunked') ? [] : [`Content-Length: ${body.length}`])];
    return [`${line} HTTP/1.1`, 'Host: localhost', `Authorization: Bearer ${token}`, ...content, ...extra, '', body].join('\r\n');
  };
  const row = '{"slug":"SLUG","name":"n","url":"https://mcp.example.com/mcp"}\n';
  const rows = Array.from({ length: 200 }, (_, at) => row.replace('SLUG', `s-${at}`)).join('');
  const inChunks = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`;
  const agent = '{"slug":"taken"}';
  const requests = {
    list: request('GET /v1/agents?limit=100'),
    lists: request('GET /v1/servers').repeat(10),
    'much to read': request('GET /v1/openapi.json'),
    create: request('POST /v1/agents', { body: agent }),
    'in chunks': request('POST /v1/agents', { body: inChunks(agent), extra: ['Transfer-Encoding: chunked'] }),
    'to go on': request('POST /v1/agents', { body: agent, extra: ['Expect: 100-continue'] }),
    miracles: request('POST /v1/agents', { body: agent, extra: ['Expect: miracles'] }),
    'import of rows': request('POST /v1/imports?dryRun=true', { body: rows, type: 'application/x-ndjson' }),
    'import of CSV': request('POST /v1/imports?dryRun=true', { body: `slug,url\n${'a,https://mcp.example.com\n'.repeat(500)}`, type: 'text/csv' }),
    'import of JSON': request('POST /v1/imports?dryRun=true', { body: `{"servers":[${rows.trim().replaceAll('\n', ',')}]}` }),
    'policy file': request('POST /v1/policy/import', { body: 'version: 1\n'.repeat(2000), type: 'application/yaml' }),
    export: request('GET /v1/policy/export'),
    trail: request('GET /v1/audit/events'),
    proof: request('GET /v1/audit/export'),
    'too large': request('POST /v1/agents', { body: 'x'.repeat(1_200_000) }),
    stranger: request('POST /v1/agents', { body: 'x'.repeat(100_000), token: 'nobody' }),
    upgrade: request('GET /v1/agents', { extra: ['Connection: Upgrade', 'Upgrade: websocket'] }),
    connect: 'CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n',
    malformed: 'GET /v1/agents HTTP/1.1\r\nHost : x\r\n\r\n',
    'TLS hello': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  };
  const answered = async (): Promise<void> => {
    own.app.get(FailedSignIns).forget();
    const response = await fetch(`http://127.0.0.1:${port}/v1/agents/nobody`, { headers: { authorization: `Bearer ${own.admin}` } });
    expect(response.status).toBe(404);
    await response.body?.cancel();
  };
  expect(await hangUpOn(port, requests, answered)).toEqual([]);
});
