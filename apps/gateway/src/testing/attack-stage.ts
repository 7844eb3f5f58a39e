import { createMetrics } from '@portcullis/boot';
import type { ErrorCode } from '@portcullis/contracts/errors';
import { expect } from 'vitest';
import type { ServerLimits } from '../edge/server-limits.js';
import { CallMetrics } from '../process/call-metrics.js';
import { startServer } from '../server.js';
import { aSnapshot, buildGateway } from './build-gateway.js';
import { eventually } from './eventually.js';
import { aDefinition, aGrant, anAgent, aServer, aTool } from './policy-builders.js';
import { rawExchange, statusOf } from './raw-exchange.js';
import { rawRequest, type RawRequest } from './raw-request.js';
import { startScriptedServer, type Scripted } from './scripted-server.js';

/** Counts what leaves no row, so that a test sees that nothing passes without a trace. */
class WatchedMetrics extends CallMetrics {
  traces = 0;
  override refusedAtEdge(code: ErrorCode): void {
    this.traces += 1;
    super.refusedAtEdge(code);
  }
}

export type AttackStage = Awaited<ReturnType<typeof startAttackStage>>;

/** A node under attack: Alice is granted everything of two servers, Bob one tool of one, Nobody nothing. Both servers answer whatever they are asked. */
export async function startAttackStage(limits: Partial<ServerLimits> = {}) {
  const built = buildGateway(undefined);
  const counted = createMetrics({ app: 'test' });
  const metrics = new WatchedMetrics(counted);
  const gateway = { ...built.gateway, metrics };
  const upstream = await startScriptedServer();
  upstream.answer = obey;
  const policy = stagePolicy(upstream.url);
  const [alice] = policy.agents;
  built.live.snapshot = aSnapshot(policy);
  const server = await startServer(gateway, { host: '127.0.0.1', port: 0 }, limits);

  const send = (request: RawRequest): Promise<string> => rawExchange(server.port, rawRequest({ token: alice.token, ...request }));
  const mark = (): Mark => ({ calls: upstream.methods.length, traces: metrics.traces + built.events.length });
  return {
    ...built,
    gateway,
    metrics,
    upstream,
    policy,
    server,
    port: server.port,
    send,
    mark,
    /** Everything that is counted, as it is scraped. */
    scraped: () => counted.render(),
    unharmed: async (input: string, answer: string, since: Mark, expected: Expected = {}): Promise<void> => {
      expectNoLeak(input, answer);
      const now = mark();
      expect(now.calls - since.calls).toBe(expected.calls ?? 0);
      if (expected.traced ?? true) expect(now.traces).toBeGreaterThan(since.traces);
      // A stage that gives its callers little time may take it all for itself where the machine is busy.
      await eventually(async () => expect(statusOf(await send({}))).toBe(200));
    },
    stop: async (): Promise<void> => {
      await server.close(0);
      await gateway.upstreams.close();
      await upstream.close();
    },
  };
}

/** What the server was asked so far, and what left a trace: a row of the trail, or a count. */
interface Mark {
  readonly calls: number;
  readonly traces: number;
}

/** What an attack may have caused: none of its calls may reach a server, and it leaves a trace, unless told otherwise. */
interface Expected {
  readonly calls?: number;
  readonly traced?: boolean;
}

/** A server that answers whatever it is asked. */
export function obey({ json, message, response }: Scripted): void {
  if (message.id === undefined) response.writeHead(202).end();
  else if (message.method === 'initialize') json({ jsonrpc: '2.0', id: message.id, result: { protocolVersion: '2025-06-18', capabilities: {} } });
  else json({ jsonrpc: '2.0', id: message.id, result: { content: [], messages: [], contents: [], resultType: 'complete' } });
}

function stagePolicy(url: string) {
  const agents = [anAgent('alice'), anAgent('bob'), anAgent('nobody')] as const;
  const [alice, bob] = agents;
  const definitions = [
    aTool('run'),
    aTool('walk'),
    aDefinition('prompt', 'greet'),
    { ...aDefinition('resource', 'x://a'), json: '{"uri":"x://a","name":"A"}' },
    { ...aDefinition('resource_template', 'x://t/{id}'), json: '{"uriTemplate":"x://t/{id}","name":"T"}' },
  ];
  const m = aServer('m', definitions, { url, era: 'modern', instructions: 'Instructions of m' });
  const l = aServer('l', [aTool('run')], { url, era: 'legacy' });
  const off = aServer('off', [aTool('run')], { url, enabled: false });
  const all = (['tools', 'prompts', 'resources'] as const).map((kind) => aGrant(alice, m, { kind }));
  return { servers: [m, l, off], agents, grants: [...all, aGrant(alice, l), aGrant(alice, off), aGrant(bob, m, { names: ['walk'] })] } as const;
}

/** Nothing of our insides comes back, and no long piece of what was sent. */
export function expectNoLeak(input: string, answer: string): void {
  expect(answer).not.toMatch(/\bat .*\.(?:ts|js|mjs):\d|node_modules|Error:/);
  expect(echoesMuch(input, answer)).toBe(false);
}

const ECHO_MAX = 256;
const STEP = 57;

/** Whether more than 256 characters of the input in a row came back: every such run holds one of these pieces whole. */
function echoesMuch(input: string, answer: string): boolean {
  if (answer.length <= ECHO_MAX) return false;
  const piece = ECHO_MAX + 1 - STEP;
  for (let at = 0; at + piece <= input.length; at += STEP) if (answer.includes(input.slice(at, at + piece))) return true;
  return false;
}
