import type { AgentEntry, GrantEntry } from '@portcullis/contracts/snapshot';
import { compileTable, decide } from '@portcullis/policy';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PolicyServer } from '../policy/policy.repository.js';
import { ProblemError } from '../http/problem.js';
import { AccessDiff, byText, shiftKinds } from './access-diff.js';
import { compareStates } from './compare-states.js';
import type { PolicyView } from './policy-view.js';

const id = (kind: number, at: number): string => `00000000-0000-7000-8000-${String(kind).padStart(4, '0')}${String(at).padStart(8, '0')}`;
const now = 1_000_000;

const anAgent = (at: number): fc.Arbitrary<AgentEntry> =>
  fc.record({ enabled: fc.boolean(), groups: fc.uniqueArray(fc.nat(2)) }).map(({ enabled, groups }) => ({
    id: id(1, at),
    slug: `agent-${at}`,
    enabled,
    toolNameStyle: 'dot' as const,
    keys: [],
    groupIds: groups.map((group) => id(2, group)).sort(),
  }));

const aServer = (at: number): fc.Arbitrary<PolicyServer> =>
  fc.record({ enabled: fc.boolean(), served: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }) }).map(
    ({ enabled, served }) =>
      ({
        id: id(3, at),
        slug: `server-${at}`,
        enabled,
        discovered: true,
        tags: [],
        environment: null,
        definitions: ['read', 'write', 'wipe'].map((name, place) => ({
          kind: 'tool',
          name,
          state: 'approved',
          served: served[place] === true,
          json: null,
          hints: undefined,
        })),
      }) as unknown as PolicyServer,
  );

const aGrant = (at: number): fc.Arbitrary<GrantEntry> =>
  fc
    .record({
      subject: fc.oneof(
        fc.nat(4).map((agent) => ({ agentId: id(1, agent) })),
        fc.nat(2).map((group) => ({ groupId: id(2, group) })),
      ),
      server: fc.nat(2),
      names: fc.uniqueArray(fc.constantFrom('read', 'write', 'w*', '*'), { minLength: 1 }),
      effect: fc.constantFrom('allow' as const, 'allow' as const, 'deny' as const),
      expiresAt: fc.constantFrom(null, now - 1, now + 1),
    })
    .map(({ server, ...grant }) => ({ ...grant, id: id(4, at), kind: 'tools', target: { serverId: id(3, server) }, notBefore: null }));

const all = <T>(count: number, one: (at: number) => fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.tuple(...Array.from({ length: count }, (_, at) => fc.option(one(at)))).map((found) => found.filter((item) => item !== null));

const aView: fc.Arbitrary<PolicyView> = fc.record({ agents: all(5, anAgent), servers: all(3, aServer), grants: all(8, aGrant) });

/** Each pair decided by itself. */
function effects(view: PolicyView): Map<string, string> {
  const found = new Map<string, string>();
  for (const agent of view.agents) {
    const table = compileTable({ agent, grants: view.grants });
    for (const server of view.servers.filter(({ enabled }) => enabled)) {
      for (const { name } of server.definitions.filter(({ served }) => served)) {
        const { effect } = decide(table, { server, kind: 'tools', name }, undefined, now);
        if (effect !== 'deny') found.set(`${agent.slug} ${server.slug}:${name}`, effect);
      }
    }
  }
  return found;
}

test('what is gained and lost is what deciding every pair before and after gives, page by page and in counts', async () => {
  const property = fc.asyncProperty(aView, aView, fc.integer({ min: 1, max: 5 }), async (before, after, limit) => {
    const diff = new AccessDiff(before, after, now);
    const [was, is] = [effects(before), effects(after)];
    const expected = {
      gained: [...is.keys()].filter((pair) => !was.has(pair)),
      lost: [...was.keys()].filter((pair) => !is.has(pair)),
      conditional: [],
    };
    const listed = Object.fromEntries(shiftKinds.map((kind) => [kind, everyPage(diff, kind, limit)]));
    expect(listed).toEqual(Object.fromEntries(shiftKinds.map((kind) => [kind, expected[kind].toSorted(byText)])));
    expect(await diff.counts()).toEqual({ gained: expected.gained.length, lost: expected.lost.length, conditional: 0 });
  });
  await fc.assert(property, { numRuns: 200 });
});

function everyPage(diff: AccessDiff, kind: (typeof shiftKinds)[number], limit: number): string[] {
  const pairs: string[] = [];
  let after: [string, string, string] | undefined;
  for (;;) {
    const found = diff.list(kind, after, limit);
    const page = found.slice(0, limit);
    pairs.push(...page.map(({ agent, ref }) => `${agent} ${ref}`));
    const last = page.at(-1);
    if (found.length <= limit || last === undefined) return pairs;
    after = [last.agent, last.kind, last.ref];
  }
}

/** So many agents, each in one group. */
const agentsIn = (count: number, groupOf: (at: number) => string): AgentEntry[] =>
  Array.from({ length: count }, (_, at) => ({
    id: id(1, at),
    slug: `agent-${at}`,
    enabled: true,
    toolNameStyle: 'dot',
    keys: [],
    groupIds: [groupOf(at)],
  }));

/** Everything of a server for a group. */
const allOf = (at: number, groupId: string, serverId: string): GrantEntry => ({
  id: id(4, at),
  subject: { groupId },
  target: { serverId },
  kind: 'tools',
  names: ['*'],
  effect: 'allow',
  notBefore: null,
  expiresAt: null,
});

test('ten thousand agents of a few groups are decided once a group, not once an agent', async () => {
  const agents = agentsIn(10_000, (at) => id(2, at % 4));
  const names = Array.from({ length: 10 }, (_, at) => `tool_${at}`);
  const servers = Array.from(
    { length: 200 },
    (_, at) =>
      ({
        id: id(3, at),
        slug: `server-${at}`,
        enabled: true,
        discovered: true,
        tags: [],
        environment: null,
        definitions: names.map((name) => ({ kind: 'tool', name, state: 'approved', served: true })),
      }) as unknown as PolicyServer,
  );
  const grants = servers.map((server, at) => allOf(at, id(2, 1), server.id));
  const diff = new AccessDiff({ agents, servers, grants: [] }, { agents, servers, grants }, now);
  expect(diff.extent()).toEqual({ kinds: 2, targets: 2000 });
  expect(await diff.counts()).toEqual({ gained: 2500 * 200 * 10, lost: 0, conditional: 0 });
  expect(diff.list('gained', ['agent-9997', 'tools', 'server-9:tool_9'], 10)).toEqual([]);
});

test('more sets of rules than can be compared are refused with words, not begun', () => {
  const agents = agentsIn(500, (at) => id(2, at));
  const definitions = Array.from({ length: 50_000 }, (_, at) => ({ kind: 'tool', name: `tool_${at}`, state: 'approved', served: true }));
  const server = { id: id(3, 1), slug: 'large', enabled: true, discovered: true, tags: [], environment: null, definitions };
  const grants = agents.map(({ groupIds }, at) => allOf(at, groupIds[0] ?? '', server.id));
  const view = { agents, servers: [server as unknown as PolicyServer], grants };
  const compare = (): AccessDiff => compareStates({ ...view, grants: [] }, view, now);
  expect(compare).toThrow(ProblemError);
  expect(compare).toThrow(/500 different sets of rules/);
});
