import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type AuditRow, auditRowsOf } from './audit-rows.js';
import { apiOf, demoStack, freshSlug } from './demo-stack.js';
import { type Era, type JsonRpcAnswer, messageIn, sendMcp } from './raw-mcp.js';
import { grantedAgent, registerServer } from './register-server.js';
import { startTestServer, type TestServer } from './test-server.js';

const stack = demoStack();
const api = apiOf(stack);
const url = `${stack.gatewayUrls[1]}/mcp`;
const eras: readonly Era[] = ['legacy', 'modern'];
const patient = { timeout: 20_000, interval: 50 };

let server: TestServer;
let slug: string;
let agent: string;
let key: string;

beforeEach(async () => {
  [slug, agent] = [freshSlug('ending'), freshSlug('ender')];
  server = await startTestServer(['work']);
  await registerServer(api, slug, server.url);
  key = await grantedAgent(api, { agent, server: slug, names: ['work'] });
});
afterEach(() => server.close());

async function call(era: Era, text: unknown, signal?: AbortSignal): Promise<JsonRpcAnswer> {
  const params = { name: `${slug}__work`, arguments: { text } };
  return messageIn(await sendMcp(url, { key, era, method: 'tools/call', params, ...(signal === undefined ? {} : { signal }) }));
}

/** The rows of the one call that was made, when its outcome is there. */
async function recorded(): Promise<AuditRow[]> {
  let rows: AuditRow[] = [];
  await vi.waitUntil(async () => {
    rows = (await auditRowsOf(stack.databaseUrl, agent)).filter(({ method }) => method === 'tools/call');
    return rows.some(({ phase }) => phase === 'outcome');
  }, patient);
  expect(rows.map(({ phase }) => phase).sort()).toEqual(['intent', 'outcome']);
  expect(new Set(rows.map(({ call_id }) => call_id)).size).toBe(1);
  return rows;
}

const statusOf = (rows: readonly AuditRow[]): string | undefined => rows.find(({ phase }) => phase === 'outcome')?.status;

test.each(eras)('a tool that fails is a tool error, and its answer the agent’s (%s)', async (era) => {
  const { result } = await call(era, 'fail');
  expect(result).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('It failed') as string }] });
  expect(statusOf(await recorded())).toBe('tool_error');
});

test.each(eras)('a server that is gone is an error of the upstream, which says nothing of where it was (%s)', async (era) => {
  await server.close();
  const { error } = await call(era, 'x');
  expect(error).toMatchObject({ code: -32603, data: { reason: 'unreachable' } });
  expect(JSON.stringify(error)).not.toContain(new URL(server.url).port);
  expect(statusOf(await recorded())).toBe('upstream_error');
});

test.each(eras)('a server that goes away in the middle of a call is an error of the upstream, and the call is not made again (%s)', async (era) => {
  server.hold();
  const answer = call(era, 'x');
  await vi.waitUntil(() => server.ran.length === 1, patient);
  await server.close();
  expect((await answer).error).toMatchObject({ code: -32603, data: { reason: 'cut' } });
  expect(statusOf(await recorded())).toBe('upstream_error');
  expect(server.ran).toHaveLength(1);
});

test('an agent that hangs up in the modern era has cancelled its call', async () => {
  const release = server.hold();
  const hangUp = new AbortController();
  const answer = call('modern', 'x', hangUp.signal).catch((error: Error) => error.name);
  await vi.waitUntil(() => server.ran.length === 1, patient);
  hangUp.abort();
  expect(await answer).toBe('AbortError');
  expect(statusOf(await recorded())).toBe('cancelled');
  release();
});
