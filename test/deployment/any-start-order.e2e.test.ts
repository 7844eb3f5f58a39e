import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ApiClient, createApiClient } from '@portcullis/api-client';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { auditRowsOf } from '../e2e/audit-rows.js';
import { healthOf, preparePostgres, prepareRedis, type Service, type Started, startByHand } from '../e2e/by-hand.js';
import { freePortBase } from '../e2e/portcullis-command.js';
import { type JsonRpcAnswer, messageIn, type RawAnswer, sendMcp, toolNamesIn } from '../e2e/raw-mcp.js';
import { startTestServer, type TestServer } from '../e2e/test-server.js';

const patient = { timeout: 60_000, interval: 50 };
const joinToken = 'a-join-token-that-a-file-would-hold';
const loopback = '127.0.0.0/8';
const call = { method: 'tools/call', params: { name: 'tools__work', arguments: { text: 'x' } } };

let directory: string;
let base: number;
let postgres: Service;
let redis: Service;
let server: TestServer;
let api: ApiClient;
let key: string;
let gateway: Started;
let controlPlane: Started;
let discovery: Started;
let worker: Started;
const started: Started[] = [];

function start(name: string, script: string, healthPort: number, env: Record<string, string>): Started {
  const one = startByHand(directory, name, script, { ...env, HEALTH_PORT: String(base + healthPort) });
  started.push(one);
  return one;
}

const controlPlaneUrl = (): string => `http://127.0.0.1:${base}`;
const mcpUrl = (): string => `http://127.0.0.1:${base + 10}/mcp`;
const services = (): Record<string, string> => ({ DATABASE_URL: postgres.url, REDIS_URL: redis.url });
const masterKey = (): Record<string, string> => ({ PORTCULLIS_MASTER_KEY_FILE: join(directory, 'master.key') });
const auditKey = (): Record<string, string> => ({ PORTCULLIS_AUDIT_KEY_FILE: join(directory, 'audit.key') });

const startGateway = (): Started =>
  start('gateway', 'gateway/dist/main.js', 50, {
    REDIS_URL: redis.url,
    CONTROL_PLANE_URL: controlPlaneUrl(),
    JOIN_TOKEN: joinToken,
    NODE_NAME: 'node-1',
    DATA_DIR: join(directory, 'node-1'),
    PORT: String(base + 10),
    PORTCULLIS_EGRESS_ALLOW: loopback,
  });

const startControlPlane = (): Started =>
  start('control-plane', 'control-plane/dist/main.js', 1, {
    ...services(),
    ...masterKey(),
    ...auditKey(),
    PORT: String(base),
    PORTCULLIS_JOIN_TOKEN: joinToken,
    PORTCULLIS_BOOTSTRAP_TOKEN_FILE: join(directory, 'operator-token'),
  });

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'portcullis-order-'));
  base = await freePortBase();
  [postgres, redis, server] = await Promise.all([preparePostgres(directory, base + 4), prepareRedis(directory, base + 5), startTestServer(['work'])]);
});
afterAll(async () => {
  await Promise.all(started.map((one) => one.stop()));
  await Promise.all([postgres.stop(), redis.stop(), server.close()]);
  await rm(directory, { recursive: true, force: true });
});

const ask = (request: { method: string; params?: Record<string, unknown> }): Promise<RawAnswer> =>
  sendMcp(mcpUrl(), { key, era: 'modern', ...request });
const answerOf = async (request: { method: string; params?: Record<string, unknown> }): Promise<JsonRpcAnswer> => messageIn(await ask(request));
const callText = async (): Promise<string | undefined> => (await answerOf(call)).result?.content?.[0]?.text;
const isReady = async (one: Started): Promise<boolean> => (await healthOf(one)).status === 200;
const untilReady = (...all: Started[]): Promise<unknown> => Promise.all(all.map((one) => vi.waitUntil(() => isReady(one), patient)));
const outcomes = async (): Promise<number> => (await auditRowsOf(postgres.url, 'worker')).filter(({ phase }) => phase === 'outcome').length;

// One story, in order: everything starts in the worst order, works, and then loses its parts one by one.
test('a node that starts before everything else lives, says what it lacks, and serves nobody', async () => {
  gateway = startGateway();
  await vi.waitUntil(async () => (await healthOf(gateway, 'livez')).status === 200, patient);
  const { status, text } = await healthOf(gateway);
  expect(status).toBe(503);
  expect(JSON.parse(text)).toMatchObject({ ready: false, reason: 'not enrolled yet', redis: false });
  key = 'gw_aaaaaaaaaaaaaaaa_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';
  const refused = await ask({ method: 'tools/list' });
  expect(refused.status).toBe(503);
  expect(messageIn(refused).error).toMatchObject({ code: -32603, message: 'Temporarily unavailable' });
});

test('control plane, discovery and worker that start before their services live and say what they wait for', async () => {
  controlPlane = startControlPlane();
  discovery = start('discovery', 'control-plane/dist/discovery-main.js', 2, { ...services(), ...masterKey(), PORTCULLIS_EGRESS_ALLOW: loopback });
  worker = start('audit-worker', 'audit-worker/dist/main.js', 3, { ...services(), ...auditKey() });
  for (const one of [controlPlane, discovery, worker]) {
    await vi.waitUntil(async () => (await healthOf(one, 'livez')).status === 200, patient);
    const { status, text } = await healthOf(one);
    expect(status).toBe(503);
    expect(text).toMatch(/postgres|redis|database/i);
  }
});

test('Redis alone changes nothing: no node serves without policy', async () => {
  await redis.start();
  await vi.waitFor(async () => expect(JSON.parse((await healthOf(gateway)).text)).toMatchObject({ redis: true }), patient);
  expect((await healthOf(gateway)).status).toBe(503);
  expect((await ask({ method: 'tools/list' })).status).toBe(503);
});

test('once Postgres is there, all become ready without a restart, and the whole way works', { timeout: 120_000 }, async () => {
  const before = started.map(({ pid }) => pid);
  await postgres.start();
  await untilReady(controlPlane, discovery, worker, gateway);
  expect(started.filter((one) => !one.isRunning())).toEqual([]);
  expect(started.map(({ pid }) => pid)).toEqual(before);
  const token = (await readFile(join(directory, 'operator-token'), 'utf8')).trim();
  api = createApiClient({ baseUrl: controlPlaneUrl(), token });
  await api.servers.create({ slug: 'tools', url: server.url, approve: 'all' });
  await api.servers.discover('tools', { waitSeconds: 60 });
  await api.agents.create({ slug: 'worker' });
  await api.grants.create({ agent: 'worker', server: 'tools', names: ['work'] });
  key = (await api.agents.createKey('worker', {}, { wait: 'all' })).value.key;
  expect(toolNamesIn(await ask({ method: 'tools/list' }))).toEqual(['tools__work']);
  expect(await callText()).toBe('work: x');
  await vi.waitUntil(async () => (await outcomes()) === 1, patient);
});

test(
  'with control plane and Postgres gone, agents keep working, and their calls are on record when Postgres is back',
  { timeout: 120_000 },
  async () => {
    await controlPlane.stop();
    await postgres.stop();
    for (const _call of [1, 2, 3]) expect(await callText()).toBe('work: x');
    await vi.waitUntil(async () => (await healthOf(worker)).status === 503, patient);
    await postgres.start();
    await vi.waitUntil(async () => (await outcomes()) === 4, patient);
    controlPlane = startControlPlane();
    await untilReady(controlPlane, discovery, worker, gateway);
  },
);

test('with Redis gone, agents keep working, policy still comes, and the record is whole afterwards', { timeout: 120_000 }, async () => {
  await redis.stop();
  for (const _call of [1, 2, 3]) expect(await callText()).toBe('work: x');
  await api.agents.update('worker', { enabled: false });
  await vi.waitUntil(
    async () => (await ask({ method: 'tools/list' })).status === 401 || toolNamesIn(await ask({ method: 'tools/list' })).length === 0,
    patient,
  );
  await api.agents.update('worker', { enabled: true });
  await vi.waitUntil(async () => (await callText()) === 'work: x', patient);
  await redis.start();
  await untilReady(controlPlane, discovery, worker, gateway);
  await vi.waitUntil(async () => (await outcomes()) === server.ran.length, patient);
});

test('a node that is killed starts again with everything else gone, from its own copy of the policy', { timeout: 120_000 }, async () => {
  await controlPlane.stop();
  await Promise.all([redis.stop(), postgres.stop(), gateway.stop('SIGKILL')]);
  gateway = startGateway();
  await untilReady(gateway);
  expect(toolNamesIn(await ask({ method: 'tools/list' }))).toEqual(['tools__work']);
  expect(await callText()).toBe('work: x');
  await Promise.all([redis.start(), postgres.start()]);
  controlPlane = startControlPlane();
  await untilReady(controlPlane, discovery, worker, gateway);
  await vi.waitUntil(async () => (await outcomes()) === server.ran.length, patient);
  const [grant] = (await api.grants.list.page({ agent: 'worker' })).items;
  await api.grants.delete(grant?.id ?? '');
  // Whoever changes something waits for nodes that are known to live: this one may not have been heard again yet.
  await vi.waitUntil(async () => toolNamesIn(await ask({ method: 'tools/list' })).length === 0, patient);
  expect([discovery, worker].every((one) => one.isRunning())).toBe(true);
});

test('an order to end is followed by every process at once, with a clean exit', async () => {
  for (const one of [gateway, worker, discovery, controlPlane]) {
    await one.stop();
    expect(await one.ended).toBe('0');
  }
});
