import { hangUpOn } from '@portcullis/testing';
import { afterEach, expect, test } from 'vitest';
import { createMetrics } from './create-metrics.js';
import { startHealthServer, type HealthOptions, type HealthServer, type Readiness } from './start-health-server.js';

const open: HealthServer[] = [];

afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

test('a process is live without asking anything else', async () => {
  const ask = await start({ ready: () => Promise.reject(new Error('Redis is gone')) });
  expect(await ask('/livez')).toMatchObject({ status: 200, body: 'live\n' });
  expect((await (await start({ live: () => false }))('/livez')).status).toBe(503);
});

test('readiness says 200 or 503 with its details', async () => {
  let state: Readiness = { ready: false, snapshot: { revision: 0 } };
  const ask = await start({ ready: () => state });
  expect(await ask('/readyz')).toEqual({ status: 503, type: 'application/json', body: '{"ready":false,"snapshot":{"revision":0}}\n' });
  state = { ready: true, policyAgeMs: 12 };
  expect(await ask('/readyz?verbose')).toEqual({ status: 200, type: 'application/json', body: '{"ready":true,"policyAgeMs":12}\n' });
});

test('a readiness check that fails is not ready and tells no internals', async () => {
  const rejecting = await start({ ready: () => Promise.reject(new Error('redis://:hunter2@host')) });
  const throwing = await start({ ready: () => { throw new Error('hunter2'); } }); // prettier-ignore
  const unprintable = await start({ ready: () => ({ ready: true, big: 1n }) });
  for (const ask of [rejecting, throwing, unprintable]) {
    expect(await ask('/readyz')).toMatchObject({ status: 503, body: '{"ready":false,"reason":"the check failed"}\n' });
  }
});

test('metrics carry the app, the process and what was counted', async () => {
  const metrics = createMetrics({ app: 'gateway' });
  metrics.counter({ name: 'calls_total', help: 'Calls', labelNames: ['effect'] }).inc({ effect: 'allow' });
  metrics.gauge({ name: 'policy_age_seconds', help: 'Age' }).set(3);
  metrics.histogram({ name: 'call_seconds', help: 'Time', buckets: [0.1, 1] }).observe(0.5);
  const { status, type, body } = await (await start({ metrics }))('/metrics');
  expect(status).toBe(200);
  expect(type).toContain('text/plain');
  expect(body).toContain('portcullis_calls_total{effect="allow",app="gateway"} 1');
  expect(body).toContain('portcullis_policy_age_seconds{app="gateway"} 3');
  expect(body).toContain('portcullis_call_seconds_bucket{le="1",app="gateway"} 1');
  expect(body).toContain('process_cpu_user_seconds_total{app="gateway"}');
});

test('two sets of metrics live in one process', () => {
  for (const app of ['a', 'b']) createMetrics({ app }).counter({ name: 'same_total', help: 'Same' });
  expect(() => createMetrics({ app: 'c' })).not.toThrow();
});

test('anything else is 404, other methods are 405', async () => {
  const ask = await start({});
  expect((await ask('/')).status).toBe(404);
  expect((await ask('/livez/x')).status).toBe(404);
  expect((await ask('/livez', 'POST')).status).toBe(405);
  expect(await ask('/livez', 'HEAD')).toMatchObject({ status: 200, body: '' });
});

test('whoever hangs up, whatever they began to ask, ends no process', async () => {
  const ask = await start({ ready: async () => ({ ready: true, much: 'x'.repeat(200_000) }) });
  const begin = (line: string, ...headers: string[]): string => [line, 'Host: localhost', ...headers, '', ''].join('\r\n');
  const requests = {
    readiness: begin('GET /readyz HTTP/1.1'),
    'readiness, many times': begin('GET /readyz HTTP/1.1').repeat(10),
    metrics: begin('GET /metrics HTTP/1.1'),
    connect: begin('CONNECT evil.example:443 HTTP/1.1'),
    upgrade: begin('GET /livez HTTP/1.1', 'Connection: Upgrade', 'Upgrade: websocket'),
    expecting: `${begin('POST /livez HTTP/1.1', 'Expect: 100-continue', 'Content-Length: 4')}abcd`,
    chunked: `${begin('POST /livez HTTP/1.1', 'Transfer-Encoding: chunked')}4\r\nabcd\r\n0\r\n\r\n`,
    malformed: begin('GET /livez HTTP/1.1', 'A : b'),
    'TLS hello': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  };
  const answered = async (): Promise<void> => expect((await ask('/livez')).status).toBe(200);
  expect(await hangUpOn(open[0]?.port ?? 0, requests, answered)).toEqual([]);
});

test('a taken port is told to whoever starts it', async () => {
  await start({});
  await expect(start({ port: open[0]?.port ?? 0 })).rejects.toMatchObject({ code: 'EADDRINUSE' });
});

async function start(options: Partial<HealthOptions>) {
  const metrics = options.metrics ?? createMetrics({ app: 'test' });
  const server = await startHealthServer({ host: '127.0.0.1', port: 0, ready: () => ({ ready: true }), ...options, metrics });
  open.push(server);
  return async (path: string, method = 'GET') => {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { method });
    return { status: response.status, type: response.headers.get('content-type'), body: await response.text() };
  };
}
