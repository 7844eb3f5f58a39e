import type { CallLimitEntry } from '@portcullis/contracts/limits';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { mcpHeaders } from '../testing/mcp-headers.js';
import { aGrant, anAgent, aServer, aTool, settings } from '../testing/policy-builders.js';
import { startScriptedServer, type ScriptedServer } from '../testing/scripted-server.js';
import { startTestStack, type TestStack } from '../testing/test-stack.js';

const team = '0198c0de-0000-7000-8000-000000000001';
const [alice, bob] = [anAgent('alice', { groupIds: [team] }), anAgent('bob', { groupIds: [team] })];
const quota: CallLimitEntry = { id: '0198c0de-0000-7000-8000-000000000002', terms: { kind: 'quota', calls: 50, per: 'month' } };
// What a group has is the same limit at each of its members.
const [carol, dave] = [anAgent('carol', { callLimits: [quota] }), anAgent('dave', { callLimits: [quota] })];
const rateLimit = { calls: 60, perSeconds: 60 };
let stack: TestStack;
let upstream: ScriptedServer;
let limitedId: string;

beforeAll(async () => {
  [stack, upstream] = await Promise.all([startTestStack(3), startScriptedServer()]);
  upstream.answer = ({ json, message }) => json({ jsonrpc: '2.0', id: message.id, result: { content: [], resultType: 'complete' } });
  const server = aServer('busy', [aTool('run'), aTool('walk')], { url: upstream.url, era: 'modern' });
  const limited = aGrant(alice, server, { subject: { groupId: team }, names: ['run'], rateLimit });
  limitedId = limited.id;
  const grants = [limited, ...[alice, carol, dave].map((agent) => aGrant(agent, server, { names: ['walk'] }))];
  await stack.publish({ servers: [server], agents: [alice, bob, carol, dave], grants, settings });
});
afterAll(async () => {
  await Promise.all([stack.stop(), upstream.close()]);
});

const call = (node: number, token: string, name = 'busy__run') =>
  fetch(`${stack.urls[node] ?? ''}/mcp`, {
    method: 'POST',
    headers: mcpHeaders(token),
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name } }),
  });

/** How many of so many calls, spread over all nodes, passed; and one answer that did not. */
async function passed(calls: number, token: string, nodes = [0, 1, 2]): Promise<{ passed: number; refused: Response | undefined }> {
  const answers: Response[] = [];
  for (let at = 0; at < calls; at += 15) {
    const together = Array.from({ length: Math.min(15, calls - at) }, (_, place) => call(nodes[place % nodes.length] ?? 0, token));
    answers.push(...(await Promise.all(together)));
  }
  return { passed: answers.filter(({ status }) => status === 200).length, refused: answers.find(({ status }) => status !== 200) };
}

test('three nodes share the limit of a grant: not one call more passes, and each agent of a group has its own', async () => {
  const first = await passed(150, alice.token);
  expect(first.passed).toBeLessThanOrEqual(rateLimit.calls);
  // What another node holds of a lease is not to be had here: at most a twentieth on each.
  expect(first.passed).toBeGreaterThanOrEqual(rateLimit.calls - 2 * 3);
  expect(first.refused?.status).toBe(429);
  expect(Number(first.refused?.headers.get('retry-after'))).toBeGreaterThan(30);
  expect(await first.refused?.json()).toMatchObject({
    error: { message: 'Too many calls', data: { retryAfterSeconds: expect.any(Number) as unknown } },
  });
  expect((await passed(6, bob.token)).passed).toBe(6);
  expect((await call(0, alice.token, 'busy__walk')).status).toBe(200);
  await vi.waitFor(async () => {
    const refusals = (await stack.events()).filter(({ reason }) => reason === 'rate_limited');
    expect(refusals.length).toBe(150 - first.passed);
    expect(refusals[0]).toMatchObject({ phase: 'single', agent: 'alice', tool: 'run', decision: 'deny', status: 'denied', grantId: limitedId });
  }, 10_000);
});

test('the members of a group share its quota on three nodes, to the last call and not one more', async () => {
  const nodes = [0, 1, 2];
  const answers: number[] = [];
  for (let round = 0; round < 12; round += 1) {
    const together = nodes.flatMap((node) => [carol, dave].map(({ token }) => call(node, token, 'busy__walk')));
    answers.push(...(await Promise.all(together)).map(({ status }) => status));
  }
  expect([answers.length, answers.filter((status) => status === 200).length]).toEqual([72, 50]);
});

test('without Redis a node allows what the limit allows, its own earlier calls counted', async () => {
  const [pid] = /process_id:(\d+)/.exec(await stack.redis.info('server'))?.slice(1) ?? [];
  process.kill(Number(pid), 'SIGSTOP');
  try {
    const there = await passed(75, bob.token, [2]);
    expect(there.passed).toBe(rateLimit.calls - 2);
    expect(there.refused?.status).toBe(429);
  } finally {
    process.kill(Number(pid), 'SIGCONT');
  }
});
