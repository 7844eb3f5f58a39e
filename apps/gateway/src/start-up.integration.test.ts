import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@portcullis/boot';
import { newBearer } from '@portcullis/secrets';
import { freePort, freshRedis } from '@portcullis/testing';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { loadConfig } from './config.js';
import { startNode, type Node } from './node.js';
import { startFakeControlPlane } from './testing/fake-control-plane.js';
import { mcpHeaders } from './testing/mcp-headers.js';
import { aGrant, anAgent, aServer, settings } from './testing/policy-builders.js';
import { PolicyPublisher } from './testing/policy-publisher.js';
import { startScriptedServer, type ScriptedServer } from './testing/scripted-server.js';
import { openTcpRelay } from './testing/tcp-relay.js';
import { serverTools } from './testing/upstream-servers.js';

const agent = anAgent('alice');
const joinToken = newBearer('join').token;
const logger = createLogger({ name: 'gateway', level: 'silent' });
let directory: string;
let ports: { redis: number; controlPlane: number };
let service: Awaited<ReturnType<typeof freshRedis>>;
let upstream: ScriptedServer;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'portcullis-start-up-'));
  ports = { redis: await freePort(), controlPlane: await freePort() };
  [upstream, service] = await Promise.all([startScriptedServer(), freshRedis()]);
});
afterAll(async () => {
  await Promise.all([upstream.close(), service.stop()]);
  await rm(directory, { recursive: true, force: true });
});

async function start(): Promise<{ node: Node; stop: () => Promise<void> }> {
  const closers: (() => unknown)[] = [];
  const config = loadConfig({
    PORT: '0',
    HEALTH_PORT: '0',
    NODE_NAME: 'node-1',
    DATA_DIR: directory,
    REDIS_URL: Object.assign(new URL(service.url), { port: String(ports.redis) }).href,
    CONTROL_PLANE_URL: `http://127.0.0.1:${String(ports.controlPlane)}`,
    JOIN_TOKEN: joinToken,
    PORTCULLIS_EGRESS_ALLOW: '127.0.0.0/8',
  });
  const node = await startNode(config, logger, (_name, closer) => closers.push(() => closer({})));
  const stop = async (): Promise<void> => {
    for (const closer of closers.toReversed()) await closer();
  };
  return { node, stop };
}

async function readiness({ healthPort }: Node) {
  const response = await fetch(`http://127.0.0.1:${String(healthPort)}/readyz`);
  return { status: response.status, ...((await response.json()) as { reason: string | null }) };
}

async function call({ port }: Node) {
  const response = await fetch(`http://127.0.0.1:${String(port)}/mcp`, {
    method: 'POST',
    headers: mcpHeaders(agent.token),
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'one__echo', arguments: {} } }),
  });
  return { status: response.status, text: await response.text() };
}

test('a node starts before everything else, serves when all is there, and goes on and starts again when all is gone', async () => {
  upstream.answer = ({ json, message }) => json({ jsonrpc: '2.0', id: message.id, result: { content: [], resultType: 'complete' } });
  const first = await start();
  expect(await readiness(first.node)).toMatchObject({ status: 503, reason: 'not enrolled yet' });
  expect(await call(first.node)).toMatchObject({ status: 503 });

  const relay = await openTcpRelay(ports.redis, { port: Number(new URL(service.url).port) });
  const redis = new Redis(service.url);
  const publisher = new PolicyPublisher(redis);
  const controlPlane = await startFakeControlPlane(publisher, { port: ports.controlPlane, joinToken });
  const server = aServer('one', serverTools, { url: upstream.url, era: 'modern' });
  await publisher.publish({ servers: [server], agents: [agent], grants: [aGrant(agent, server)], settings });
  await vi.waitFor(async () => expect(await readiness(first.node)).toMatchObject({ status: 200, reason: null }), { timeout: 20_000 });
  expect(await call(first.node)).toMatchObject({ status: 200, text: expect.stringContaining('complete') as unknown });
  await vi.waitFor(() => expect([...controlPlane.statuses.values()]).toMatchObject([{ appliedRevision: 1, refused: null }]), { timeout: 10_000 });
  const metrics = await (await fetch(`http://127.0.0.1:${String(first.node.healthPort)}/metrics`)).text();
  expect(metrics).toMatch(/portcullis_policy_revision\{app="gateway"\} 1/);
  expect(metrics).toMatch(/portcullis_calls_total\{method="tools\/call",outcome="success",app="gateway"\} 1/);

  publisher.close();
  redis.disconnect();
  await Promise.all([relay.cut(), controlPlane.close()]);
  expect(await call(first.node)).toMatchObject({ status: 200, text: expect.stringContaining('complete') as unknown });
  await first.stop();

  const second = await start();
  await vi.waitFor(async () => expect(await readiness(second.node)).toMatchObject({ status: 200 }), { timeout: 20_000 });
  expect(await call(second.node)).toMatchObject({ status: 200, text: expect.stringContaining('complete') as unknown });
  await second.stop();
}, 90_000);

test('what a node keeps of itself only its owner reads, and it is not the join token', async () => {
  const path = join(directory, 'identity.json');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readFile(path, 'utf8')).not.toContain(joinToken);
});
