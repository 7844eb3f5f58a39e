import type { Narrowing } from '@portcullis/contracts/task-keys';
import type { AgentEntry, GrantEntry } from '@portcullis/contracts/snapshot';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileNarrowings, compileTable, decide, pinnedArguments, shadowDecision, type Target } from './index.js';

const uuid = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const agent: AgentEntry = { id: uuid(1), slug: 'dev', enabled: true, toolNameStyle: 'colon', groupIds: [], keys: [] };
const servers = ['one', 'two'].map((slug, at) => ({ id: uuid(10 + at), slug, tags: ['t'], environment: null }));
const names = fc.constantFrom('a', 'b', 'ab', '*', 'a*');
const grants: fc.Arbitrary<GrantEntry[]> = fc.array(
  fc.record({
    id: fc.integer({ min: 100, max: 1e6 }).map(uuid),
    subject: fc.constant({ agentId: agent.id }),
    target: fc.oneof(
      fc.constantFrom(...servers).map(({ id }) => ({ serverId: id })),
      fc.constant('t').map((tag) => ({ selector: { tags: { allOf: [tag] } } })),
    ),
    kind: fc.constantFrom('tools' as const, 'prompts' as const),
    names: fc.array(names, { minLength: 1, maxLength: 2 }),
    effect: fc.constantFrom('allow' as const, 'allow' as const, 'deny' as const),
    notBefore: fc.constant(null),
    expiresAt: fc.constant(null),
  }),
  { maxLength: 6 },
);
const narrowing: fc.Arbitrary<Narrowing> = fc.record(
  {
    servers: fc.array(fc.constantFrom('one', 'two', 'o*', '*', 'three'), { minLength: 1, maxLength: 2 }),
    tools: fc.array(fc.constantFrom('one:a', 'two:*', '*:b', 'one:a*', 'three:a'), { minLength: 1, maxLength: 2 }),
  },
  { requiredKeys: [] },
);
const targets: Target[] = servers.flatMap((server) =>
  (['tools', 'prompts'] as const).flatMap((kind) => ['a', 'b', 'ab'].map((name) => ({ server, kind, name }))),
);

test('a narrowed table allows exactly what the whole one allows and every narrowing names', () => {
  fc.assert(
    fc.property(grants, fc.array(narrowing, { minLength: 1, maxLength: 3 }), (these, narrowings) => {
      const whole = compileTable({ agent, grants: these });
      const within = compileNarrowings(narrowings);
      const narrow = whole.narrowedTo(within);
      for (const target of targets) {
        const [all, left] = [decide(whole, target, {}, 0), decide(narrow, target, {}, 0)];
        expect(left).toEqual(within(target) ? all : { ...left, effect: 'deny', refused: 'target', grantId: null });
        if (left.effect === 'allow') for (const one of narrowings) expect(compileNarrowings([one])(target)).toBe(true);
      }
    }),
  );
});

test('whole servers count for every kind, tools for tools alone, and names are compared as a whole', () => {
  const within = compileNarrowings([{ servers: ['one'], tools: ['two:a'] }]);
  const [one, two] = servers as [Target['server'], Target['server']];
  expect(within({ server: one, kind: 'prompts', name: 'x' })).toBe(true);
  expect(within({ server: two, kind: 'tools', name: 'a' })).toBe(true);
  expect(within({ server: two, kind: 'prompts', name: 'a' })).toBe(false);
  expect(within({ server: two, kind: 'tools', name: 'ab' })).toBe(false);
  expect(compileNarrowings([{}])({ server: one, kind: 'tools', name: 'a' })).toBe(false);
});

test('what would be tried, and what is pinned, stays within too', () => {
  const usual = { subject: { agentId: agent.id }, target: { serverId: uuid(10) }, kind: 'tools', notBefore: null, expiresAt: null } as const;
  const shadow: GrantEntry = { ...usual, id: uuid(100), names: ['a', 'b'], effect: 'allow', mode: 'shadow' };
  const pinned: GrantEntry = { ...usual, id: uuid(101), names: ['c'], effect: 'allow', pinned: { x: 1 } };
  const narrow = compileTable({ agent, grants: [shadow, pinned] }).narrowedTo(compileNarrowings([{ tools: ['one:a', 'one:c'] }]));
  const about = (name: string): Target => ({ server: servers[0] ?? targets[0]!.server, kind: 'tools', name });
  const wouldBe = (name: string) => shadowDecision(narrow, about(name), {}, { now: 0, decision: decide(narrow, about(name), {}, 0) })?.effect;
  expect([wouldBe('a'), wouldBe('b')]).toEqual(['allow', undefined]);
  expect(pinnedArguments(narrow, about('c'), 0)).toEqual(['x']);
});
