import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { apiOf, demoStack, freshSlug } from './demo-stack.js';
import { type Era, messageIn, type RawAnswer, sendMcp } from './raw-mcp.js';
import { startTestServer, type TestServer } from './test-server.js';

const stack = demoStack();
const api = apiOf(stack);
const agent = freshSlug('asker');
const on = freshSlug('on');
const off = freshSlug('off');

let server: TestServer;
let key: string;

beforeAll(async () => {
  server = await startTestServer(['granted', 'ungranted', 'pending', 'denied']);
  const registered = await Promise.all([on, off].map((slug) => api.servers.create({ slug, url: server.url })));
  await api.agents.create({ slug: agent });
  for (const { value } of registered) {
    await api.servers.discover(value.slug, { waitSeconds: 60 });
    const { items } = await api.servers.definitions(value.slug).page();
    const known = items.filter(({ name }) => name !== 'pending').map(({ id, hash }) => ({ id, hash }));
    await api.servers.approve(value.slug, { definitions: known });
    await api.grants.create({ agent, server: value.slug, names: ['granted', 'pending', 'denied'] });
    await api.grants.create({ agent, server: value.slug, names: ['denied'], effect: 'deny' });
  }
  await api.servers.update(off, { enabled: false });
  key = (await api.agents.createKey(agent, {}, { wait: 'all' })).value.key;
});
afterAll(() => server.close());

/** The answer with the asked name, which it repeats, put out of sight. */
const without = ({ status, headers, body }: RawAnswer, name: string): RawAnswer => ({ status, headers, body: body.replaceAll(name, '<name>') });

const padded = (word: string, length: number): string => word.padEnd(length, 'x');

const merged = [
  { what: 'a tool that was not granted', name: () => `${on}__ungranted` },
  { what: 'a tool that is denied by name', name: () => `${on}__denied` },
  { what: 'a granted tool that nobody approved', name: () => `${on}__pending` },
  { what: 'a granted tool of a disabled server', name: () => `${off}__granted` },
  { what: 'a tool granted to somebody else', name: () => 'postgres__query' },
  { what: 'a tool by its canonical name that was not granted', name: () => `${on}:ungranted` },
  { what: 'a tool of a server that does not exist', name: () => 'nowhere__granted' },
];
const single = [
  { what: 'a tool that was not granted', slug: () => on, name: 'ungranted' },
  { what: 'a tool that is denied by name', slug: () => on, name: 'denied' },
  { what: 'a granted tool that nobody approved', slug: () => on, name: 'pending' },
  { what: 'a granted tool of a disabled server', slug: () => off, name: 'granted' },
  { what: 'a tool of a server without any grant', slug: () => 'postgres', name: 'query' },
  { what: 'a tool of a server that does not exist', slug: () => padded('no', on.length), name: 'granted' },
];
const eras: readonly Era[] = ['legacy', 'modern'];
const nodes = stack.gatewayUrls.map((url, index) => ({ node: `node ${index + 1}`, url }));

describe.each(nodes.flatMap((node) => eras.map((era) => ({ era, ...node }))))('$era era at $node', ({ era, url }) => {
  const call = (endpoint: string, name: string, args: unknown = { text: 'x' }): Promise<RawAnswer> =>
    sendMcp(endpoint, { key, era, method: 'tools/call', params: { name, arguments: args } });

  test('the tool beside them runs, so that there is something to refuse', async () => {
    expect(messageIn(await call(`${url}/mcp`, `${on}__granted`)).result?.content?.[0]?.text).toBe('granted: x');
    expect(messageIn(await call(`${url}/servers/${on}/mcp`, 'granted')).result?.content?.[0]?.text).toBe('granted: x');
  });

  test.each(merged)('$what answers at /mcp like one that does not exist', async ({ name }) => {
    const before = server.ran.length;
    const asked = name();
    const unknown = padded(`${on}__zz`, asked.length);
    const [refused, reference] = [await call(`${url}/mcp`, asked), await call(`${url}/mcp`, unknown)];
    expect(messageIn(refused)).toEqual({ jsonrpc: '2.0', id: 1, error: { code: -32602, message: `Unknown tool: ${asked}` } });
    expect(without(refused, asked)).toEqual(without(reference, unknown));
    expect(refused.body).toHaveLength(reference.body.length);
    expect(server.ran).toHaveLength(before);
  });

  test.each(single)('$what answers at the endpoint of its server like one that does not exist', async ({ slug, name }) => {
    const unknown = padded('zz', name.length);
    const refused = await call(`${url}/servers/${slug()}/mcp`, name);
    const reference = await call(`${url}/servers/${on}/mcp`, unknown);
    expect(messageIn(refused).error).toEqual({ code: -32602, message: `Unknown tool: ${name}` });
    expect(without(refused, name)).toEqual(without(reference, unknown));
  });

  test('arguments make no difference to it, whatever they are', async () => {
    const name = `${on}__ungranted`;
    const reference = await call(`${url}/mcp`, name);
    for (const args of [{}, undefined, { text: 'y'.repeat(10_000) }, { other: [1, 2, { deep: null }] }])
      expect(await call(`${url}/mcp`, name, args)).toEqual(reference);
  });

  test('what is not there to see is in no list either', async () => {
    const list = await sendMcp(`${url}/mcp`, { key, era, method: 'tools/list' });
    expect(messageIn(list).result?.tools?.map(({ name }) => name)).toEqual([`${on}__granted`]);
    const lists = await Promise.all(
      [off, 'postgres', 'nowhere'].map((slug) => sendMcp(`${url}/servers/${slug}/mcp`, { key, era, method: 'tools/list' })),
    );
    for (const one of lists) expect(one).toEqual(lists[0]);
    expect(messageIn(lists[0] ?? list).result?.tools).toEqual([]);
  });

  test('the handshake at the endpoint of a server tells nothing of whether it exists', async () => {
    const hello = (slug: string): Promise<RawAnswer> => {
      const initialize = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } };
      const request = era === 'modern' ? { method: 'server/discover' } : { method: 'initialize', params: initialize };
      return sendMcp(`${url}/servers/${slug}/mcp`, { key, era, ...request });
    };
    const masked = (answer: RawAnswer): RawAnswer => ({
      ...answer,
      headers: answer.headers.map(([name, value]) => [name, name === 'mcp-session-id' ? '' : value]),
    });
    const answers = (await Promise.all([off, 'postgres', 'nowhere'].map(hello))).map(masked);
    for (const one of answers) expect(one).toEqual(answers[0]);
  });
});
