import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as LegacyTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { obey, startAttackStage, type AttackStage } from '../testing/attack-stage.js';
import { aSnapshot } from '../testing/build-gateway.js';
import { mcpRequest } from '../testing/mcp-message.js';
import { aGrant, aTool } from '../testing/policy-builders.js';
import { bodyOf } from '../testing/raw-exchange.js';

let stage: AttackStage;
beforeAll(async () => {
  stage = await startAttackStage();
});
afterAll(() => stage.stop());
afterEach(() => {
  stage.upstream.answer = obey;
  stage.live.snapshot = aSnapshot(stage.policy);
});

/** The stage, with this for the tool `run` of its first server. */
function withTool(more: object, grants = stage.policy.grants as readonly (typeof stage.policy.grants)[number][]): void {
  const [m, ...others] = stage.policy.servers;
  stage.live.snapshot = aSnapshot({ ...stage.policy, servers: [{ ...m, definitions: [aTool('run', more)] }, ...others], grants });
}

describe('A78: what a tool says of itself is data', () => {
  const harmless = { annotations: { readOnlyHint: true, destructiveHint: false, openWorldHint: false } };
  const call = (token: string) => stage.send(mcpRequest('tools/call', { token, params: { name: 'm__run' } }));

  test('and opens nothing to whom nothing was granted', async () => {
    withTool(harmless);
    const [, , nobody] = stage.policy.agents;
    expect(bodyOf(await call(nobody.token))).toContain('Unknown tool: m__run');
  });

  test('and leads around no denial', async () => {
    const [alice] = stage.policy.agents;
    const [m] = stage.policy.servers;
    withTool(harmless, [...stage.policy.grants, aGrant(alice, m, { names: ['run'], effect: 'deny' })]);
    expect(bodyOf(await call(alice.token))).toContain('Unknown tool: m__run');
  });
});

describe('A89: structured content that breaks the approved schema', () => {
  const token = (): { requestInit: { headers: Record<string, string> } } => ({
    requestInit: { headers: { authorization: `Bearer ${stage.policy.agents[0].token}` } },
  });
  const address = (): URL => new URL(`http://127.0.0.1:${String(stage.port)}/mcp`);
  const outputSchema = { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] };
  const answer = (n: unknown): void => {
    stage.upstream.answer = (exchange) => {
      const { message, json } = exchange;
      const result = { resultType: 'complete', content: [{ type: 'text', text: 'ok' }], structuredContent: { n } };
      if (message.method === 'tools/call') json({ jsonrpc: '2.0', id: message.id, result });
      else obey(exchange);
    };
  };

  const clients = {
    legacy: async () => {
      const client = new LegacyClient({ name: 'test', version: '1' });
      await client.connect(new LegacyTransport(address(), token()));
      return client;
    },
    modern: async () => {
      const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' } });
      await client.connect(new StreamableHTTPClientTransport(address(), token()));
      return client;
    },
  };

  test.each(['legacy', 'modern'] as const)('is seen by an official client, which has the schema as it was approved (%s)', async (era) => {
    withTool({ outputSchema });
    const client = await clients[era]();
    const { tools } = await client.listTools();
    expect(tools.find(({ name }) => name === 'm__run')?.outputSchema).toEqual(outputSchema);
    answer(42);
    expect(await client.callTool({ name: 'm__run', arguments: {} })).toMatchObject({ structuredContent: { n: 42 } });
    answer('forty-two');
    await expect(client.callTool({ name: 'm__run', arguments: {} })).rejects.toThrow(/schema/i);
    await client.close();
  });
});

test.each(['00', '01'])('A68: an agent that says of its trace to sample it or not (%s) causes nothing more, and its trace goes on', async (flags) => {
  const [upstream, alice] = [stage.upstream, stage.policy.agents[0]];
  const told: string[] = [];
  upstream.answer = (exchange) => {
    told.push(JSON.stringify(exchange.message));
    obey(exchange);
  };
  const rows = stage.events.length;
  const traceparent = `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-${flags}`;
  const params = { name: 'm__run', _meta: { traceparent } };
  for (let at = 0; at < 20; at += 1) await stage.send(mcpRequest('tools/call', { era: 'modern', token: alice.token, params }));
  expect(told).toHaveLength(20);
  expect(told.every((message) => message.includes(`"traceparent":"${traceparent}"`))).toBe(true);
  expect(stage.events.slice(rows).map(({ phase, traceId }) => [phase, traceId])).toEqual(
    Array.from({ length: 20 }, () => ['intent', 'outcome'].map((phase) => [phase, '0af7651916cd43dd8448eb211c80319c'])).flat(),
  );
});
