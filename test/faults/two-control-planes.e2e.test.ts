import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ApiClient, createApiClient } from '@portcullis/api-client';
import { openDatabase, type PrismaClient } from '@portcullis/database';
import { queryDatabase } from '@portcullis/testing';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { healthOf, preparePostgres, prepareRedis, type Service, type Started, startByHand } from '../e2e/by-hand.js';
import { freePortBase } from '../e2e/portcullis-command.js';

const patient = { timeout: 60_000, interval: 20 };
const joinToken = 'a-join-token-that-a-file-would-hold';
const names = ['plane-a', 'plane-b'] as const;
type Name = (typeof names)[number];

let directory: string;
let base: number;
let postgres: Service;
let redis: Service;
let client: Redis;
let database: PrismaClient;
let node: Started;
let grantId: string;
const planes: Partial<Record<Name, Started>> = {};
const portOf = (name: Name): number => base + 10 * names.indexOf(name);

function startPlane(name: Name): Started {
  const url = new URL(postgres.url);
  url.searchParams.set('application_name', name); // by this Postgres tells which process waits or holds
  const plane = startByHand(directory, name, 'control-plane/dist/main.js', {
    DATABASE_URL: url.href,
    REDIS_URL: redis.url,
    PORTCULLIS_MASTER_KEY_FILE: join(directory, 'master.key'),
    PORTCULLIS_JOIN_TOKEN: joinToken,
    PORTCULLIS_BOOTSTRAP_TOKEN_FILE: join(directory, 'operator-token'),
    PORT: String(portOf(name)),
    HEALTH_PORT: String(portOf(name) + 1),
  });
  planes[name] = plane;
  return plane;
}

async function apiOf(name: Name): Promise<ApiClient> {
  const token = (await readFile(join(directory, 'operator-token'), 'utf8')).trim();
  return createApiClient({ baseUrl: `http://127.0.0.1:${portOf(name)}`, token });
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'portcullis-planes-'));
  base = await freePortBase();
  [postgres, redis] = await Promise.all([preparePostgres(directory, base + 4), prepareRedis(directory, base + 5)]);
  await Promise.all([postgres.start(), redis.start()]);
  client = new Redis(redis.url);
  database = openDatabase(postgres.url, 4);
  await untilReady(startPlane('plane-a'));
  await untilReady(startPlane('plane-b'));
  node = startByHand(directory, 'gateway', 'gateway/dist/main.js', {
    REDIS_URL: redis.url,
    CONTROL_PLANE_URL: `http://127.0.0.1:${portOf('plane-b')}`,
    JOIN_TOKEN: joinToken,
    NODE_NAME: 'node-1',
    DATA_DIR: join(directory, 'node-1'),
    PORT: String(base + 20),
    HEALTH_PORT: String(base + 21),
  });
  await untilReady(node);
  const api = await apiOf('plane-a');
  await api.servers.create({ slug: 'tools', url: 'https://tools.example/mcp' });
  await api.agents.create({ slug: 'worker' });
  grantId = (await api.grants.create({ agent: 'worker', server: 'tools', names: ['one'] }, { wait: 'all' })).value.id;
});
afterAll(async () => {
  client.disconnect();
  await database.$disconnect();
  await Promise.all([node.stop(), ...Object.values(planes).map((plane) => plane.stop())]);
  await Promise.all([postgres.stop(), redis.stop()]);
  await rm(directory, { recursive: true, force: true });
});

const untilReady = async (one: Started): Promise<boolean> => vi.waitUntil(async () => (await healthOf(one)).status === 200, patient);

interface ServedPolicy {
  readonly epoch: number;
  readonly revision: number;
  readonly refused: { readonly reason: string } | null;
}

const servedPolicy = async (): Promise<ServedPolicy> => (JSON.parse((await healthOf(node)).text) as { policy: ServedPolicy }).policy;
const servedRevision = async (): Promise<number> => (await servedPolicy()).revision;

async function publisherWhere(condition: string): Promise<Name> {
  const find = async (): Promise<Name | undefined> => {
    const rows = await database.$queryRawUnsafe<{ name: string }[]>(
      `SELECT DISTINCT application_name AS name FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE application_name LIKE 'plane-%' AND ${condition}`,
    );
    return names.find((name) => rows[0]?.name === name);
  };
  return vi.waitUntil(find, patient);
}

const other = (name: Name): Name => (name === 'plane-a' ? 'plane-b' : 'plane-a');
const rename = async (by: Name, name: string): Promise<number> => (await (await apiOf(by)).grants.update(grantId, { names: [name] })).revision ?? 0;

test('both take changes, and every change of either is published', async () => {
  let last = 0;
  for (let round = 0; round < 10; round += 1) last = await rename(names[round % 2] ?? 'plane-a', `tool_${round}`);
  await vi.waitFor(async () => expect(await servedRevision()).toBe(last), patient);
  const unpublished = await database.revision.count({ where: { publishedAt: null } });
  expect(unpublished).toBe(0);
});

test('a publisher killed while it compiles a change is finished by the other one', async () => {
  let revision = 0;
  let killed: Name = 'plane-a';
  await database.$transaction(
    async (tx) => {
      await tx.$executeRawUnsafe('LOCK TABLE snapshot_bucket IN ACCESS EXCLUSIVE MODE');
      revision = await rename('plane-a', 'while_compiling');
      killed = await publisherWhere(`relation = 'snapshot_bucket'::regclass AND NOT granted`);
      await planes[killed]?.stop('SIGKILL');
    },
    { timeout: 60_000 },
  );
  await vi.waitFor(async () => expect(await servedRevision()).toBe(revision), patient);
  const late = await (await apiOf(other(killed))).grants.update(grantId, { names: ['after'] });
  await vi.waitFor(async () => expect(await servedRevision()).toBe(late.revision), patient);
  await untilReady(startPlane(killed));
});

test('a publisher killed between the commit and Redis is finished by the other one', async () => {
  await client.call('CLIENT', 'PAUSE', '60000', 'WRITE');
  const revision = await rename('plane-b', 'between');
  await vi.waitUntil(async () => (await database.publishedSnapshot.findFirst())?.revision === revision, patient);
  const killed = await publisherWhere(`locktype = 'advisory' AND granted`);
  await planes[killed]?.stop('SIGKILL');
  expect((await client.call('CLIENT', 'UNPAUSE')) as string).toBe('OK');
  await vi.waitFor(async () => expect(await servedRevision()).toBe(revision), patient);
});

test('a Postgres restored from an older backup changes nothing on a node until an operator says that it counts', async () => {
  const stopPlanes = async (): Promise<void> => void (await Promise.all(Object.values(planes).map((plane) => plane.stop())));
  const elsewhere = Object.assign(new URL(postgres.url), { pathname: '/postgres' }).href;
  const name = new URL(postgres.url).pathname.slice(1);
  await stopPlanes();
  await database.$disconnect();
  await queryDatabase(elsewhere, `CREATE DATABASE backup TEMPLATE "${name}"`);
  await untilReady(startPlane('plane-a'));
  let revision = 0;
  for (const tool of ['lost_1', 'lost_2', 'lost_3']) revision = await rename('plane-a', tool);
  await vi.waitFor(async () => expect(await servedRevision()).toBe(revision), patient);

  await stopPlanes();
  await queryDatabase(elsewhere, `DROP DATABASE "${name}"`);
  await queryDatabase(elsewhere, `ALTER DATABASE backup RENAME TO "${name}"`);
  await client.flushall(); // and Redis is empty too: only the node knows
  await Promise.all(names.map((each) => untilReady(startPlane(each))));
  const api = await apiOf('plane-b');
  await vi.waitFor(async () => expect((await api.epochs.read()).ahead).toEqual({ epoch: 1, revision }), patient);
  await expect(rename('plane-a', 'a_new_line')).rejects.toMatchObject({ status: 409 });
  expect(await servedPolicy()).toMatchObject({ epoch: 1, revision });

  const begun = await api.epochs.create({ reason: 'Restored from a backup' }, { wait: 'all' });
  expect(begun.value).toEqual({ epoch: 2, revision: begun.revision, ahead: null });
  expect(begun.revision).toBeLessThan(revision);
  await vi.waitFor(async () => expect(await servedPolicy()).toMatchObject({ epoch: 2, revision: begun.revision, refused: null }), patient);
  const next = await rename('plane-b', 'goes_on');
  await vi.waitFor(async () => expect(await servedPolicy()).toMatchObject({ epoch: 2, revision: next }), patient);
});
