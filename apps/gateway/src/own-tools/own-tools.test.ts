import { OWN_SERVER_ID, type Era } from '@portcullis/contracts/names';
import type { NodeAccessAnswer, NodeAccessFound, NodeAccessLookup, NodeAccessRequest, OwnAccessRequest } from '@portcullis/contracts/node';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startServer, type GatewayServer } from '../server.js';
import { aSnapshot, buildGateway } from '../testing/build-gateway.js';
import { mcpHeaders } from '../testing/mcp-headers.js';
import { mcpRequest } from '../testing/mcp-message.js';
import { aGrant, anAgent, aServer, aTool } from '../testing/policy-builders.js';
import { AccessAsker } from './access-asker.js';

const asking = anAgent('asking');
const silent = anAgent('silent');
const dotted = anAgent('dotted', { toolNameStyle: 'dot' });
const { gateway, live, events } = buildGateway(undefined);
const request: OwnAccessRequest = {
  id: '0199aaaa-0000-7000-8000-000000000001',
  tools: ['github:create_issue'],
  status: 'open',
  durationSeconds: 3600,
  createdAt: '2026-01-01T00:00:00.000Z',
  decidedAt: null,
  decisionReason: null,
  accessUntil: null,
};
const desk = {
  asked: [] as (NodeAccessRequest | NodeAccessLookup)[],
  filed: (): Promise<NodeAccessAnswer> => Promise.resolve({ outcome: 'filed', request }),
  found: (): Promise<NodeAccessFound> => Promise.resolve({ requests: [request] }),
};
let server: GatewayServer;

beforeAll(async () => {
  const github = aServer('github', [aTool('read')]);
  const mayAsk = { id: OWN_SERVER_ID };
  const names = ['access_requests', 'request_access'];
  live.snapshot = aSnapshot({
    servers: [github],
    agents: [asking, silent, dotted],
    grants: [...[asking, dotted].map((agent) => aGrant(agent, mayAsk, { names })), aGrant(silent, github), aGrant(asking, github)],
  });
  server = await startServer(gateway, { host: '127.0.0.1', port: 0 });
});
beforeEach(() => {
  desk.asked.length = 0;
  events.length = 0;
  desk.filed = () => Promise.resolve({ outcome: 'filed', request });
  const fileAccessRequest = (asked: NodeAccessRequest): Promise<NodeAccessAnswer> => (desk.asked.push(asked), desk.filed());
  const findAccessRequests = (asked: NodeAccessLookup): Promise<NodeAccessFound> => (desk.asked.push(asked), desk.found());
  Object.assign(gateway, { accessAsker: new AccessAsker({ fileAccessRequest, findAccessRequests }) });
});
afterAll(() => server.close(0));

async function send(era: Era, method: string, params: Record<string, unknown>, agent = asking) {
  const { headers, body } = mcpRequest(method, { era, params });
  const response = await fetch(`http://127.0.0.1:${String(server.port)}/mcp`, {
    method: 'POST',
    headers: {
      ...mcpHeaders(agent.token),
      ...(headers as Record<string, string>),
    },
    body: String(body),
  });
  return { status: response.status, text: await response.text() };
}
const call = (era: Era, name: string, args: object, agent = asking) => send(era, 'tools/call', { name, arguments: args }, agent);
const said = ({ text }: { text: string }) =>
  JSON.parse(text).result as { isError?: boolean; content: { text: string }[]; structuredContent?: object };
const why = { tool: 'github:create_issue', reason: 'the outage' };

describe.each(['legacy', 'modern'] as const)('asking for access (%s)', (era) => {
  test('is offered to those whose policy lets them ask, under their own style of names', async () => {
    const names = async (agent: typeof asking) =>
      (JSON.parse((await send(era, 'tools/list', {}, agent)).text).result.tools as { name: string }[]).map(({ name }) => name);
    expect(await names(asking)).toEqual(['github__read', 'portcullis__access_requests', 'portcullis__request_access']);
    expect(await names(dotted)).toEqual(['portcullis.access_requests', 'portcullis.request_access']);
    expect(await names(silent)).toEqual(['github__read']);
  });

  test('by one who may not gets the answer of an unknown tool, and nobody is asked', async () => {
    const [denied, unknown] = [
      await call(era, 'portcullis__request_access', why, silent),
      await call(era, 'portcullis__request_accesz', why, silent),
    ];
    expect(denied.text).toBe(unknown.text.replace('accesz', 'access'));
    expect(desk.asked).toEqual([]);
  });

  test('gives an id to look up, and leaves a record that says who asked for what', async () => {
    const answer = said(await call(era, 'portcullis__request_access', { ...why, duration: '2h' }));
    expect(answer.structuredContent).toEqual({ request });
    expect(answer.content[0]?.text).toContain(request.id);
    expect(desk.asked).toMatchObject([{ agentId: asking.id, ...why, durationSeconds: 7200, callId: events[0]?.callId }]);
    expect(events.map(({ phase, server: of, tool, status, decision }) => [phase, of, tool, status, decision])).toEqual([
      ['intent', 'portcullis', 'request_access', 'pending', 'allow'],
      ['outcome', 'portcullis', 'request_access', 'success', 'allow'],
    ]);
    const found = said(await call(era, 'portcullis__access_requests', { id: request.id }));
    expect(found.structuredContent).toEqual({ requests: [request] });
    expect(desk.asked[1]).toEqual({ agentId: asking.id, id: request.id });
  });

  test('for what cannot be requested is refused in one text, whatever is wrong with it', async () => {
    desk.filed = () => Promise.resolve({ outcome: 'refused' });
    const tools = ['github:create_issue', 'nothing:there', 'x', 'a\u0001b', 'a'.repeat(3000)];
    const answers = await Promise.all(tools.map((tool) => call(era, 'portcullis__request_access', { ...why, tool })));
    expect(new Set(answers.map(({ status, text }) => `${String(status)} ${text}`)).size).toBe(1);
    expect(said(answers[0] ?? { text: '' })).toMatchObject({ isError: true, content: [{ text: 'Access to this cannot be requested.' }] });
  });

  test('in a way that cannot be meant says what is missing', async () => {
    for (const args of [
      {},
      { tool: 'a:b' },
      { tool: 1, reason: 'r' },
      { tool: 'a:b', reason: ' \n' },
      { ...why, duration: 'for ever' },
      { ...why, durationSeconds: 60 },
    ])
      expect(said(await call(era, 'portcullis__request_access', args)).isError).toBe(true);
    expect(said(await call(era, 'portcullis__access_requests', { id: 'no id' })).isError).toBe(true);
    expect(desk.asked).toEqual([]);
  });

  test('while the control plane is away fails so that asking again is sensible, and is on record', async () => {
    desk.filed = () => Promise.reject(new Error('connect ECONNREFUSED 10.0.0.1'));
    const { status, text } = await call(era, 'portcullis__request_access', why);
    expect([status, JSON.parse(text).error]).toEqual([
      200,
      { code: -32603, message: 'Access requests cannot be taken at the moment; ask again', data: { reason: 'requests_unavailable' } },
    ]);
    expect(events.at(-1)).toMatchObject({ phase: 'outcome', status: 'error', reason: 'node.requests_unavailable' });
  });
});

test('an agent asks at most thirty times a minute', async () => {
  const answers = [];
  for (let at = 0; at < 31; at += 1) answers.push((await call('legacy', 'portcullis__access_requests', {})).status);
  expect([answers.slice(0, 30).every((status) => status === 200), answers[30]]).toEqual([true, 429]);
});
