import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectLegacy, connectModern, namesSeenBy } from './agent-clients.js';
import { apiOf, demoStack, freshSlug } from './demo-stack.js';
import { messageIn, sendMcp, toolNamesIn } from './raw-mcp.js';
import { registerServer } from './register-server.js';
import { startTestServer, type TestServer } from './test-server.js';
import { whenSo } from './within.js';

const stack = demoStack();
const api = apiOf(stack);
const slug = freshSlug('tools');
const wire = `${slug}__work`;
const endpoints = stack.gatewayUrls.map((url) => `${url}/mcp`);
const measured: string[] = [];

/** A client of either era that connected before the change and never connects again. */
interface Connected {
  readonly what: string;
  listsIt(): Promise<boolean>;
  runsIt(): Promise<boolean>;
  close(): Promise<void>;
}

let server: TestServer;
let agent: string;
let key: string;
let keyId: string;
let grantId: string;
let clients: Connected[];

async function connected(url: string, era: 'legacy' | 'modern'): Promise<Connected> {
  const client = await (era === 'legacy' ? connectLegacy : connectModern)({ url, key });
  const runsIt = (): Promise<boolean> =>
    client.callTool({ name: wire, arguments: { text: agent } }).then(
      () => true,
      () => false,
    );
  const listsIt = (): Promise<boolean> =>
    namesSeenBy(client).then(
      (names) => names.includes(wire),
      () => false,
    );
  return { what: `${era} at ${url}`, listsIt, runsIt, close: () => client.close() };
}

beforeAll(async () => {
  server = await startTestServer(['work', 'other']);
  await registerServer(api, slug, server.url);
});

beforeEach(async () => {
  agent = freshSlug('worker');
  await api.agents.create({ slug: agent });
  grantId = (await api.grants.create({ agent, server: slug, names: ['work'] })).value.id;
  const { value } = await api.agents.createKey(agent, {}, { wait: 'all' });
  ({ key, id: keyId } = value);
  clients = await Promise.all(endpoints.flatMap((url) => [connected(url, 'legacy'), connected(url, 'modern')]));
  for (const client of clients)
    if (!(await client.listsIt()) || !(await client.runsIt())) throw new Error(`Not served to begin with: ${client.what}`);
  return async () => void (await Promise.all(clients.map((client) => client.close())));
});

afterAll(async () => {
  console.log(`From the answer of REST until it is so everywhere:\n${measured.map((line) => `  ${line}`).join('\n')}`);
  await server.close();
});

/** Makes the change and waits until no client that was connected before it lists or runs the tool; then names those for which it ran once more. */
async function stillServedAfter(what: string, change: () => Promise<unknown>): Promise<string[]> {
  await change();
  const since = performance.now();
  const times = await Promise.all(
    clients.map(async (client) => [
      await whenSo(`${client.what} lists it no more`, since, async () => !(await client.listsIt())),
      await whenSo(`${client.what} runs it no more`, since, async () => !(await client.runsIt())),
    ]),
  );
  measured.push(`${what}: ${Math.max(...times.flat())} ms`);
  const ran = server.ran.length;
  const served = await Promise.all(clients.map(async (client) => ((await client.runsIt()) ? [client.what] : [])));
  return [...served.flat(), ...server.ran.slice(ran)];
}

/** Makes the change and waits until every client runs the tool; then names those that do not list it. */
async function notServedAfter(what: string, change: () => Promise<unknown>): Promise<string[]> {
  await change();
  const since = performance.now();
  const times = await Promise.all(clients.map((client) => whenSo(`${client.what} runs it again`, since, () => client.runsIt())));
  measured.push(`${what}: ${Math.max(...times)} ms`);
  const missing = await Promise.all(clients.map(async (client) => ((await client.listsIt()) ? [] : [client.what])));
  return missing.flat();
}

describe('on every node, for clients of both eras that stay connected', () => {
  test('a revoked grant stops the next call, and a new one lets it through again', async () => {
    expect(await stillServedAfter('grant revoked', () => api.grants.delete(grantId))).toEqual([]);
    for (const url of endpoints) {
      const answer = await sendMcp(url, { key, era: 'modern', method: 'tools/call', params: { name: wire, arguments: { text: agent } } });
      expect(messageIn(answer).error).toEqual({ code: -32602, message: `Unknown tool: ${wire}` });
    }
    expect(await notServedAfter('grant given', () => api.grants.create({ agent, server: slug, names: ['work'] }))).toEqual([]);
  });

  test('a grant that is narrowed, and a denial beside it, stop the next call', async () => {
    expect(await stillServedAfter('grant narrowed', () => api.grants.update(grantId, { names: ['other'] }))).toEqual([]);
    expect(await notServedAfter('grant widened', () => api.grants.update(grantId, { names: ['*'] }))).toEqual([]);
    expect(await stillServedAfter('denied', () => api.grants.create({ agent, server: slug, names: ['work'], effect: 'deny' }))).toEqual([]);
  });

  test('a revoked key is refused with 401', async () => {
    expect(await stillServedAfter('key revoked', () => api.agents.revokeKey(agent, keyId))).toEqual([]);
    for (const url of endpoints)
      for (const era of ['legacy', 'modern'] as const) {
        const answer = await sendMcp(url, { key, era, method: 'tools/list' });
        expect(answer.status).toBe(401);
        expect(answer.headers.map(([name]) => name)).toContain('www-authenticate');
      }
  });

  test('a disabled server stops, and one enabled again serves', async () => {
    expect(await stillServedAfter('server disabled', () => api.servers.update(slug, { enabled: false }))).toEqual([]);
    expect(await notServedAfter('server enabled', () => api.servers.update(slug, { enabled: true }))).toEqual([]);
  });

  test('a disabled agent stops, and one enabled again serves', async () => {
    expect(await stillServedAfter('agent disabled', () => api.agents.update(agent, { enabled: false }))).toEqual([]);
    expect(await notServedAfter('agent enabled', () => api.agents.update(agent, { enabled: true }))).toEqual([]);
  });

  test('a deleted agent is refused with 401', async () => {
    expect(await stillServedAfter('agent deleted', () => api.agents.delete(agent))).toEqual([]);
    for (const url of endpoints) expect((await sendMcp(url, { key, era: 'modern', method: 'tools/list' })).status).toBe(401);
  });

  test('a group gives and takes what its grants say', async () => {
    const group = freshSlug('team');
    await api.groups.create({ slug: group });
    await api.grants.create({ group, server: slug, names: ['work'] });
    expect(await stillServedAfter('own grant revoked', () => api.grants.delete(grantId))).toEqual([]);
    expect(await notServedAfter('joined a group', () => api.groups.addMember(group, agent))).toEqual([]);
    expect(await stillServedAfter('left the group', () => api.groups.removeMember(group, agent))).toEqual([]);
  });

  test('a grant ends by itself when it expires', async () => {
    expect(
      await stillServedAfter('grant expired', () => api.grants.update(grantId, { expiresAt: new Date(Date.now() + 1_000).toISOString() })),
    ).toEqual([]);
  });
});

test('with wait=all, every node has applied the change when the answer comes', async () => {
  await api.grants.delete(grantId, { wait: 'all' });
  for (const url of endpoints) expect(toolNamesIn(await sendMcp(url, { key, era: 'legacy', method: 'tools/list' }))).toEqual([]);
});
