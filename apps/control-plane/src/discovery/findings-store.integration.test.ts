import { bucketOf } from '@portcullis/contracts/snapshot';
import type { PrismaClient } from '@portcullis/database';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { PolicyChanges } from '../changes/policy-changes.js';
import { PolicyNews } from '../changes/policy-news.js';
import { SelfWideningGuard } from '../changes/self-widening-guard.js';
import { useDatabase } from '../testing/use-database.js';
import type { FoundDefinition } from './collect-list.js';
import { DiscoveryRepository } from './discovery.repository.js';
import { FindingsStore } from './findings-store.js';
import type { FinishedDiscovery } from './store-findings.js';

const own = useDatabase();
let database: PrismaClient;
let store: FindingsStore;

beforeAll(() => {
  ({ database } = own);
  store = new FindingsStore(database, new PolicyChanges(database, new PolicyNews(), new SelfWideningGuard(database)));
});
afterEach(() => database.server.deleteMany());

const tool = (name: string): FoundDefinition => ({ kind: 'tool', name, json: `{"name":"${name}", "description":"Größe"}`, hash: `hash of ${name}` });

async function registered(count: number, fields: { approveFirstDiscovery?: boolean } = {}): Promise<string[]> {
  const url = 'https://s.example.com/mcp';
  const data = Array.from({ length: count }, (_, at) => ({ slug: `s-${at}`, name: `S ${at}`, url, ...fields }));
  return (await database.server.createManyAndReturn({ data, select: { id: true } })).map(({ id }) => id);
}

const found = (serverId: string, definitions: readonly FoundDefinition[]): FinishedDiscovery => ({
  serverId,
  url: 'https://s.example.com/mcp',
  protocol: 'auto',
  transportPin: 'auto',
  startedAt: new Date(),
  findings: {
    era: 'legacy',
    bothEras: false,
    transport: 'streamable-http',
    capabilitiesJson: '{"tools":{}}',
    instructions: null,
    software: null,
    ttlSeconds: null,
    definitions,
    problems: [],
  },
});

const revision = async () => (await database.policyState.findUniqueOrThrow({ where: { id: 1 } })).revision;
const eventsSince = (after: number) =>
  database.auditEvent.findMany({ where: { method: 'operator/server.discovered', revision: { gt: after } }, orderBy: { seq: 'asc' } });

test('servers seen for the first time share revisions, and each is on record, waits for approval and is published', async () => {
  const [before, ids] = [await revision(), await registered(30)];
  const stored = await Promise.all(ids.map((id) => store.storeFirst(found(id, [tool('a'), tool('b')]))));
  expect(stored).toEqual(ids.map(() => true));
  expect((await revision()) - before).toBe(2); // the first alone, and those that came meanwhile
  const definitions = await database.definition.findMany();
  expect(definitions.length).toBe(60);
  expect(definitions.every(({ state, approvedJson, approvedHash }) => state === 'pending' && approvedJson === null && approvedHash === null)).toBe(
    true,
  );
  expect(Buffer.from(definitions[0]?.json ?? []).toString()).toBe(tool(definitions[0]?.name ?? '').json);
  const events = await eventsSince(before);
  const subjects = events.map(({ arguments: bytes }) => (JSON.parse(Buffer.from(bytes ?? []).toString()) as { subject: { id: string } }).subject.id);
  expect(ids.filter((id) => !subjects.includes(id))).toEqual([]);
  expect(events.map(({ seq }) => Number(seq) - Number(events[0]?.seq))).toEqual(events.map((_, at) => at));
  const dirty = await database.dirtyBucket.findMany({ where: { revision: { gt: before }, kind: 'servers' } });
  expect(new Set(dirty.map(({ bucket }) => bucket))).toEqual(new Set(ids.map(bucketOf)));
  expect(await database.policyRowChange.count({ where: { revision: { gt: before } } })).toBe(0);
});

test('what is approved by name at registration is served as it was found, and its revision says so', async () => {
  const ids = await registered(3, { approveFirstDiscovery: true });
  await Promise.all(ids.map((id) => store.storeFirst(found(id, [tool('a')]))));
  for (const { state, json, hash, approvedJson, approvedHash, decidedBy } of await database.definition.findMany())
    expect([state, approvedHash, approvedJson, decidedBy]).toEqual(['approved', hash, json, 'registration (approve: all)']);
  const { change } = await database.revision.findUniqueOrThrow({ where: { revision: await revision() } });
  expect(JSON.stringify(change).match(/"approved":\["tool a"\]/g)?.length).toBe(2);
});

test('what cannot be stored does not keep out what was found beside it, and a server that is gone is said to be', async () => {
  const ids = await registered(6);
  const [broken = '', gone = ''] = ids.slice(2);
  await database.server.delete({ where: { id: gone } });
  const tried = await Promise.allSettled(ids.map((id) => store.storeFirst(found(id, [id === broken ? tool('a\0') : tool('a')]))));
  const results = new Map(tried.map((one, at) => [ids[at], one.status === 'fulfilled' ? one.value : 'failed']));
  expect([results.get(broken), results.get(gone)]).toEqual(['failed', false]);
  expect([...results.values()].filter((result) => result === true).length).toBe(4);
  expect(await database.definition.count()).toBe(4);
});

test('the same server found twice at once has its definitions once', async () => {
  const [first = '', second = ''] = await registered(2);
  const one = (id: string) => store.storeFirst(found(id, [tool('a')]));
  expect(await Promise.all([one(first), one(second), one(second), one(second)])).toEqual([true, true, true, true]);
  expect(await database.definition.count()).toBe(2);
  expect(await database.definitionChange.count()).toBe(0);
});

test('a server that was never seen is soon asked again when it fails, and one that was not before a minute has passed', async () => {
  const repository = new DiscoveryRepository(database);
  const [id = ''] = await registered(1);
  const restAfterFailure = async (): Promise<number> => {
    const claimed = await repository.claim(id);
    if (claimed === null) throw new Error('The server is gone');
    await repository.fail(claimed, 'The connection was refused.');
    const { nextDiscoveryAt } = await database.server.findUniqueOrThrow({ where: { id } });
    return ((nextDiscoveryAt?.getTime() ?? 0) - claimed.startedAt.getTime()) / 1000;
  };
  const [first, second, third] = [await restAfterFailure(), await restAfterFailure(), await restAfterFailure()];
  expect([first >= 2.7, second >= 5.4, third >= 10.8, first < 40, second < 40, third < 40]).not.toContain(false);
  await database.server.update({ where: { id }, data: { seenAt: new Date(), discoveryFailures: 0 } });
  expect(await restAfterFailure()).toBeGreaterThan(53);
});
