import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { apiOf, demoStack, freshSlug } from './demo-stack.js';
import { sendMcp } from './raw-mcp.js';
import { grantedAgent, registerServer } from './register-server.js';
import { startTestServer, type TestServer } from './test-server.js';

const stack = demoStack();
const api = apiOf(stack);
const slug = freshSlug('scarce');
const agent = freshSlug('eager');
let server: TestServer;
let key: string;

beforeAll(async () => {
  server = await startTestServer(['work']);
  await registerServer(api, slug, server.url);
  key = await grantedAgent(api, { agent, server: slug, names: ['*'] });
});
afterAll(() => server.close());

const call = async (at: number): Promise<number> => {
  const url = stack.gatewayUrls[at % stack.gatewayUrls.length] ?? '';
  const params = { name: `${slug}__work`, arguments: { text: 'x' } };
  return (await sendMcp(`${url}/mcp`, { key, era: 'modern', method: 'tools/call', params })).status;
};

test('a quota that an operator sets holds over all nodes, says why, and when it is raised calls go on', async () => {
  const { value: limit } = await api.limits.create({ agent, terms: { kind: 'quota', calls: 5, per: 'month' } }, { wait: 'all' });
  const answers: number[] = [];
  for (let at = 0; at < 9; at += 1) answers.push(await call(at));
  expect(answers.filter((status) => status === 200)).toHaveLength(5);
  expect(answers.filter((status) => status === 429)).toHaveLength(4);
  const { used, spentUntil } = await api.limits.read(limit.id);
  const now = new Date();
  expect(used).toBe(5);
  expect(Math.abs(Date.parse(spentUntil ?? '') - Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1))).toBeLessThan(60_000);
  const explained = await api.policy.explain({ agent, target: `${slug}:work` });
  expect(explained.steps.map(({ code }) => code)).toContain('limit_spent');
  await vi.waitFor(async () => {
    const reasons: (string | null)[] = [];
    for await (const { status, reason } of api.audit.events.each({ agent })) if (status === 'denied') reasons.push(reason);
    expect(reasons).toEqual(Array.from({ length: 4 }, () => `rate_limited:${limit.id}`));
  }, 20_000);
  await api.limits.update(limit.id, { terms: { kind: 'quota', calls: 6, per: 'month' } }, { wait: 'all' });
  expect([await call(0), await call(1)].toSorted((one, other) => one - other)).toEqual([200, 429]);
  await api.limits.delete(limit.id, { wait: 'all' });
  expect(await call(1)).toBe(200);
});
