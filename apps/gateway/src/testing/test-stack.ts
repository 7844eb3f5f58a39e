import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeBatch } from '@portcullis/audit';
import { createLogger } from '@portcullis/boot';
import { AUDIT_QUEUE, type AuditEvent } from '@portcullis/contracts/audit';
import { freshRedis } from '@portcullis/testing';
import { Redis } from 'ioredis';
import { loadConfig } from '../config.js';
import { startNode } from '../node.js';
import { startFakeControlPlane, type FakeControlPlane } from './fake-control-plane.js';
import { PolicyPublisher, type Policy } from './policy-publisher.js';

/** Gateway nodes on a Redis of their own, and whoever publishes policy to them. */
export interface TestStack {
  readonly urls: readonly string[];
  readonly healthUrls: readonly string[];
  readonly redis: Redis;
  readonly controlPlane: FakeControlPlane;
  /** Publishes and waits until every node serves it. */
  publish(policy: Policy): Promise<void>;
  /** Stops one node; the others stay. */
  stopNode(at: number): Promise<void>;
  /** Audit events in the queue so far. */
  events(): Promise<AuditEvent[]>;
  stop(): Promise<void>;
}

/** What nodes are to be told beyond the usual, which may depend on where their Redis is. */
type NodeEnvironment = Record<string, string> | ((redisUrl: string) => Promise<Record<string, string>>);

export async function startTestStack(nodes: number, environment: NodeEnvironment = {}): Promise<TestStack> {
  const closers: (() => unknown)[] = [];
  const service = await freshRedis();
  closers.push(() => service.stop());
  const redis = new Redis(service.url);
  closers.push(() => redis.disconnect());
  const publisher = new PolicyPublisher(redis);
  closers.push(() => publisher.close());
  const controlPlane = await startFakeControlPlane(publisher);
  closers.push(() => controlPlane.close());
  const directory = await mkdtemp(join(tmpdir(), 'portcullis-gateway-'));
  closers.push(() => rm(directory, { recursive: true, force: true }));
  const told = typeof environment === 'function' ? await environment(service.url) : environment;
  const started = [];
  const ofNodes: (() => unknown)[][] = [];
  for (let at = 0; at < nodes; at += 1) {
    const config = loadConfig({
      PORT: '0',
      HEALTH_PORT: '0',
      NODE_NAME: `node-${String(at)}`,
      DATA_DIR: join(directory, String(at)),
      REDIS_URL: service.url,
      CONTROL_PLANE_URL: controlPlane.url,
      JOIN_TOKEN: controlPlane.joinToken,
      PORTCULLIS_EGRESS_ALLOW: '127.0.0.0/8',
      STOP_GRACE_MS: '1000',
      ...told,
    });
    const own: (() => unknown)[] = [];
    ofNodes.push(own);
    closers.push(() => closeAll(own));
    started.push(await startNode(config, createLogger({ name: 'gateway', level: 'error' }), (_name, closer) => own.push(() => closer({}))));
  }
  const healthUrls = started.map(({ healthPort }) => `http://127.0.0.1:${String(healthPort)}`);
  return {
    urls: started.map(({ port }) => `http://127.0.0.1:${String(port)}`),
    healthUrls,
    redis,
    controlPlane,
    publish: async (policy) => {
      const revision = await publisher.publish(policy);
      await Promise.all(healthUrls.map((url) => untilServed(url, revision)));
    },
    events: () => readEvents(redis),
    stopNode: (at) => closeAll(ofNodes[at] ?? []),
    stop: () => closeAll(closers),
  };
}

/** Closes what was opened, the last first, each once. */
async function closeAll(closers: (() => unknown)[]): Promise<void> {
  for (let closer = closers.pop(); closer !== undefined; closer = closers.pop()) await closer();
}

async function untilServed(healthUrl: string, revision: number): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (Date.now() < deadline) {
    const state = (await (await fetch(`${healthUrl}/readyz`)).json()) as { policy: { revision: number | null } };
    if (state.policy.revision === revision) return;
    await new Promise((resolve) => {
      setTimeout(resolve, 10);
    });
  }
  throw new Error(`No revision ${String(revision)} at ${healthUrl}`);
}

async function readEvents(redis: Redis): Promise<AuditEvent[]> {
  const keys = await redis.keys(`bull:${AUDIT_QUEUE}:node-*`);
  const jobs = await Promise.all(keys.filter((key) => !key.endsWith(':logs')).map((key) => redis.hget(key, 'data')));
  return jobs.flatMap((job) => (job === null ? [] : decodeBatch(JSON.parse(job)).events));
}
