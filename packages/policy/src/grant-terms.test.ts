import type { PinnedArguments, TargetSelector } from '@portcullis/contracts/grants';
import type { AgentEntry, GrantEntry } from '@portcullis/contracts/snapshot';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileTable, decide, pinnedArguments, selectsServer, shadowDecision, type JsonObject, type Target } from './index.js';

const uuid = (group: string, n: number): string => `${group}-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
const agent: AgentEntry = { id: uuid('aaaaaaaa', 1), slug: 'dev', enabled: true, toolNameStyle: 'double-underscore', groupIds: [], keys: [] };

const servers = [
  { id: uuid('cccccccc', 1), slug: 'one', tags: ['data', 'eu'], environment: 'prod' },
  { id: uuid('cccccccc', 2), slug: 'two', tags: ['data'], environment: 'staging' },
  { id: uuid('cccccccc', 3), slug: 'three', tags: [], environment: null },
];
const tools = [
  { json: '{"name":"a"}' },
  { json: '{"name":"a","annotations":{"readOnlyHint":true}}' },
  { json: '{"name":"a","annotations":{"destructiveHint":false,"idempotentHint":true}}' },
];
const tags = fc.subarray(['data', 'eu', 'none'], { minLength: 1 });
const hints = fc.record({ readOnlyHint: fc.boolean(), destructiveHint: fc.boolean(), openWorldHint: fc.boolean() }, { requiredKeys: [] });
const selector: fc.Arbitrary<TargetSelector> = fc.record(
  { tags: fc.record({ allOf: tags, anyOf: tags }, { requiredKeys: [] }), environment: fc.constantFrom('prod', 'staging'), annotations: hints },
  { requiredKeys: [] },
);
const named = fc.constantFrom(...servers).map(({ id }) => ({ serverId: id }));
const conditions = [
  'args.n == 1',
  'args.n != 1',
  'args.missing.deep',
  'has(args.s)',
  'tool == "a" && server == "one"',
  'true',
  'args.n > 0 || false',
];
const grant: fc.Arbitrary<GrantEntry> = fc.record(
  {
    id: fc.integer({ min: 0, max: 1e9 }).map((n) => uuid('dddddddd', n)),
    subject: fc.constant({ agentId: agent.id }),
    target: fc.oneof(
      named,
      selector.map((one) => ({ selector: one })),
    ),
    kind: fc.constant('tools' as const),
    names: fc.subarray(['a', '*', 'b', 'a*'], { minLength: 1 }),
    effect: fc.constantFrom('allow' as const, 'allow' as const, 'deny' as const),
    notBefore: fc.constant(null),
    expiresAt: fc.constantFrom(null, 5),
    condition: fc.constantFrom(...conditions),
    pinned: fc.constantFrom<PinnedArguments>({ n: 1 }, { s: 'x' }, { n: 2, s: 'x' }),
    mode: fc.constantFrom('enforce' as const, 'shadow' as const),
  },
  { requiredKeys: ['id', 'subject', 'target', 'kind', 'names', 'effect', 'notBefore', 'expiresAt'] },
);
const grants = fc.uniqueArray(grant, { maxLength: 6, selector: ({ id }) => id });
const target: fc.Arbitrary<Target> = fc.record({
  server: fc.constantFrom(...servers),
  kind: fc.constant('tools' as const),
  name: fc.constantFrom('a', 'b', 'c'),
  definition: fc.constantFrom(...tools),
});
const args: fc.Arbitrary<JsonObject> = fc.record({ n: fc.constantFrom(1, 2, 'x', null), s: fc.constantFrom('x', 'y') }, { requiredKeys: [] });
const now = fc.integer({ min: 0, max: 8 });
const table = (these: readonly GrantEntry[]) => compileTable({ agent, grants: these });

describe('grants with terms', () => {
  test('never depend on the order of grants', () => {
    const shuffled = grants.chain((these) => fc.tuple(fc.constant(these), fc.shuffledSubarray(these, { minLength: these.length })));
    fc.assert(
      fc.property(shuffled, target, args, now, ([these, mixed], about, given, at) => {
        for (const asked of [undefined, given]) expect(decide(table(mixed), about, asked, at)).toEqual(decide(table(these), about, asked, at));
        expect(pinnedArguments(table(mixed), about, at)).toEqual(pinnedArguments(table(these), about, at));
      }),
    );
  });

  test('list what a call does not find unknown, and only that', () => {
    fc.assert(
      fc.property(grants, target, args, now, (these, about, given, at) => {
        const listed = decide(table(these), about, undefined, at);
        const called = decide(table(these), about, given, at);
        expect(called.refused === 'target').toBe(listed.effect === 'deny');
        if (listed.effect === 'allow') expect(called).toEqual(listed);
        expect(called.effect).not.toBe('conditional');
      }),
      { numRuns: 2000 },
    );
  });

  test('an added denying grant never adds access, and one without a condition outweighs everything', () => {
    fc.assert(
      fc.property(grants, grant, target, args, (these, extra, about, given) => {
        const { pinned: _pinned, mode: _mode, condition: _condition, ...plain } = extra;
        const before = decide(table(these), about, given, 0).effect;
        const conditional = { ...extra, effect: 'deny' as const };
        if (before === 'deny') expect(decide(table([...these, conditional]), about, given, 0).effect).toBe('deny');
        const deny = { ...plain, id: uuid('eeeeeeee', 1), effect: 'deny' as const, names: ['*'], target: { selector: {} } };
        expect(decide(table([...these, deny]), about, given, 0)).toMatchObject({ effect: 'deny', refused: 'target' });
      }),
    );
  });

  test('silence is deny: a grant that allows nothing by itself never allows', () => {
    fc.assert(
      fc.property(grants, target, args, (these, about, given) => {
        const silent = these.filter(({ effect, mode }) => effect === 'deny' || mode === 'shadow');
        expect(decide(table(silent), about, given, 0)).toMatchObject({ effect: 'deny', refused: 'target' });
      }),
    );
  });

  test('a selector says the same as its grant written out for each server and tool', () => {
    fc.assert(
      fc.property(grants, target, args, now, (these, about, given, at) => {
        const hintsHere = (one: TargetSelector): boolean => decide(table([selecting(one)]), { ...about, name: 'a' }, {}, 0).effect === 'allow';
        const written = these.flatMap((one) => {
          if (!('selector' in one.target)) return [one];
          const { annotations: _annotations, ...servers_ } = one.target.selector;
          const isHere = selectsServer(servers_, about.server) && hintsHere(one.target.selector);
          return isHere ? [{ ...one, target: { serverId: about.server.id } }] : [];
        });
        for (const asked of [undefined, given]) expect(decide(table(written), about, asked, at)).toEqual(decide(table(these), about, asked, at));
      }),
    );
  });

  test('in the mode shadow never change a decision, and say where they would', () => {
    fc.assert(
      fc.property(grants, target, args, now, (these, about, given, at) => {
        const enforced = these.filter(({ mode }) => mode !== 'shadow');
        const decision = decide(table(these), about, given, at);
        expect(decision).toEqual(decide(table(enforced), about, given, at));
        const all = these.map(({ mode: _mode, ...one }) => one);
        const trial = decide(table(all), about, given, at);
        const shadow = shadowDecision(table(these), about, given, { now: at, decision });
        expect(shadow).toEqual(trial.effect === decision.effect ? undefined : trial);
      }),
    );
  });

  test('what is allowed is forwarded with what its grant pins, and was not sent otherwise', () => {
    fc.assert(
      fc.property(grants, target, args, now, (these, about, given, at) => {
        const { effect, pinned } = decide(table(these), about, given, at);
        const sent = Object.fromEntries(Object.keys(pinned ?? {}).flatMap((name) => (Object.hasOwn(given, name) ? [[name, given[name]]] : [])));
        expect(pinned ?? {}).toMatchObject(sent);
        if (effect !== 'allow') expect(pinned).toBeNull();
        const hidden = pinnedArguments(table(these), about, at);
        if (effect === 'allow') expect(Object.keys(pinned ?? {})).toEqual(expect.arrayContaining([...hidden]));
      }),
    );
  });
});

const selecting = (one: TargetSelector): GrantEntry => ({
  id: uuid('ffffffff', 1),
  subject: { agentId: agent.id },
  target: { selector: one },
  kind: 'tools',
  names: ['a'],
  effect: 'allow',
  notBefore: null,
  expiresAt: null,
});

describe('the reasons of refused arguments', () => {
  const about: Target = { server: { id: uuid('cccccccc', 1), slug: 'one', tags: [], environment: null }, kind: 'tools', name: 'a' };
  const allow = { ...selecting({}), condition: 'args.repo.startsWith("acme/")' };
  const of = (grantsHere: readonly GrantEntry[], given: JsonObject) => {
    const { effect, refused, reasons, grantId } = decide(table(grantsHere), about, given, 0);
    return { effect, refused, code: reasons[0]?.code, grantId };
  };
  const deny = { ...selecting({}), id: uuid('ffffffff', 2), effect: 'deny' as const, condition: 'args.force' };

  test.each([
    ['granted', [allow], { repo: 'acme/x' }, 'allow'],
    ['condition_false', [allow], { repo: 'other/x' }, 'deny'],
    ['condition_error', [allow], {}, 'deny'],
    ['condition_error', [{ ...allow, condition: 'this is no CEL' }], { repo: 'acme/x' }, 'deny'],
    ['pinned_argument', [{ ...allow, pinned: { repo: 'acme/x' } }], { repo: 'acme/y' }, 'deny'],
    ['granted', [{ ...allow, pinned: { repo: 'acme/x' } }], {}, 'allow'],
    ['denied_by_condition', [allow, deny], { repo: 'acme/x', force: true }, 'deny'],
    ['granted', [allow, deny], { repo: 'acme/x', force: false }, 'allow'],
    ['condition_error', [selecting({}), deny], {}, 'deny'],
  ] as const)('%s', (code, these, given, effect) => {
    expect(of(these, given)).toMatchObject({ code, effect, refused: effect === 'allow' ? null : 'arguments' });
    expect(of(these, given).grantId).not.toBeNull();
  });

  test('an argument is hidden only where every way to call pins it alike', () => {
    const pins = (pinned: GrantEntry['pinned'], n: number): GrantEntry => ({ ...selecting({}), id: uuid('ffffffff', n), ...(pinned && { pinned }) });
    expect(pinnedArguments(table([pins({ a: 1, b: 2 }, 1)]), about, 0)).toEqual(['a', 'b']);
    expect(pinnedArguments(table([pins({ a: 1, b: 2 }, 1), pins({ b: 3, a: 1 }, 2)]), about, 0)).toEqual(['a']);
    expect(pinnedArguments(table([pins({ a: 1 }, 1), pins(undefined, 2)]), about, 0)).toEqual([]);
  });
});
