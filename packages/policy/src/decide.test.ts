import { OWN_SERVER_ID } from '@portcullis/contracts/names';
import type { AgentEntry, GrantEntry } from '@portcullis/contracts/snapshot';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileGlob, compileTable, decide, isGlob, nextChangeAt, type Target } from './index.js';

const uuid = (group: string, n: number): string => `${group}-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
const [agentId, otherAgentId] = [uuid('aaaaaaaa', 1), uuid('aaaaaaaa', 2)];
const groupIds = [uuid('bbbbbbbb', 1), uuid('bbbbbbbb', 2)];
const agent: AgentEntry = { id: agentId, slug: 'a', enabled: true, toolNameStyle: 'double-underscore', groupIds, keys: [] };

// Few letters, servers and times, so that grants and targets meet often.
const name = fc.string({ unit: fc.constantFrom('a', 'b', '_'), maxLength: 4 });
const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '_', '*'), maxLength: 5 });
const serverId = fc.constantFrom(uuid('cccccccc', 1), uuid('cccccccc', 2));
const kind = fc.constantFrom('tools' as const, 'prompts' as const, 'resources' as const);
const time = fc.integer({ min: 0, max: 6 });
const subject = fc.oneof(
  fc.constantFrom(agentId, agentId, otherAgentId).map((id) => ({ agentId: id })),
  fc.constantFrom(...groupIds, uuid('bbbbbbbb', 3)).map((id) => ({ groupId: id })),
);
const grant: fc.Arbitrary<GrantEntry> = fc.record({
  id: fc.integer({ min: 0, max: 1e9 }).map((n) => uuid('dddddddd', n)),
  subject,
  target: fc.record({ serverId }),
  kind,
  names: fc.array(pattern, { maxLength: 3 }),
  effect: fc.constantFrom('allow', 'allow', 'deny'),
  notBefore: fc.option(time),
  expiresAt: fc.option(time),
});
const grants = fc.uniqueArray(grant, { maxLength: 8, selector: ({ id }) => id });
const server = serverId.map((id) => ({ id, slug: 's', tags: [], environment: null }));
const target: fc.Arbitrary<Target> = fc.record({ server, kind, name });

const decideWith = (these: readonly GrantEntry[], about: Target, now: number) =>
  decide(compileTable({ agent, grants: these }), about, undefined, now);

/** Two plain sentences, with none of the table's structure. */
function reference(these: readonly GrantEntry[], about: Target, now: number): 'allow' | 'deny' {
  const inForce = these.filter(
    (one) =>
      ('agentId' in one.subject ? one.subject.agentId === agentId : groupIds.includes(one.subject.groupId)) &&
      'serverId' in one.target &&
      one.target.serverId === about.server.id &&
      one.kind === about.kind &&
      one.names.some((each) => naiveMatch(each, about.name)) &&
      (one.notBefore ?? -Infinity) <= now &&
      now < (one.expiresAt ?? Infinity),
  );
  return inForce.some((one) => one.effect === 'allow') && !inForce.some((one) => one.effect === 'deny') ? 'allow' : 'deny';
}

function naiveMatch(glob: string, text: string): boolean {
  if (glob === '') return text === '';
  if (glob.startsWith('*')) return naiveMatch(glob.slice(1), text) || (text !== '' && naiveMatch(glob, text.slice(1)));
  return text !== '' && text[0] === glob[0] && naiveMatch(glob.slice(1), text.slice(1));
}

describe('decide', () => {
  test('agrees with the plain reading of the rules', () => {
    fc.assert(
      fc.property(grants, target, time, (these, about, now) => {
        expect(decideWith(these, about, now).effect).toBe(reference(these, about, now));
      }),
      { numRuns: 3000 },
    );
  });

  test('never depends on the order of grants', () => {
    const shuffled = grants.chain((these) => fc.tuple(fc.constant(these), fc.shuffledSubarray(these, { minLength: these.length })));
    fc.assert(
      fc.property(shuffled, target, time, ([these, mixed], about, now) => {
        expect(decideWith(mixed, about, now)).toEqual(decideWith(these, about, now));
      }),
    );
  });

  test('an added deny, a removed allow and a grant of somebody else never add access', () => {
    fc.assert(
      fc.property(grants, grant, target, time, (these, extra, about, now) => {
        fc.pre(decideWith(these, about, now).effect === 'deny');
        expect(decideWith([...these, { ...extra, effect: 'deny' }], about, now).effect).toBe('deny');
        expect(decideWith([...these, { ...extra, subject: { agentId: otherAgentId } }], about, now).effect).toBe('deny');
        for (const one of these.filter(({ effect }) => effect === 'allow')) {
          expect(
            decideWith(
              these.filter((each) => each !== one),
              about,
              now,
            ).effect,
          ).toBe('deny');
        }
      }),
    );
  });

  test('without a grant everything is denied, and a disabled agent may do nothing', () => {
    fc.assert(
      fc.property(grants, target, time, (these, about, now) => {
        const nothing = {
          effect: 'deny',
          reasons: [{ code: 'no_grant', grantId: null }],
          grantId: null,
          refused: 'target',
          pinned: null,
          rateLimit: null,
        };
        expect(decideWith([], about, now)).toEqual(nothing);
        expect(decide(compileTable({ agent: { ...agent, enabled: false }, grants: these }), about, undefined, now).effect).toBe('deny');
      }),
    );
  });

  test('a listed target is never refused to a call, whatever its arguments, in the same table and moment', () => {
    fc.assert(
      fc.property(grants, target, time, fc.dictionary(fc.string(), fc.jsonValue()), (these, about, now, args) => {
        const table = compileTable({ agent, grants: these });
        const listed = decide(table, about, undefined, now).effect !== 'deny';
        expect(decide(table, about, args, now).effect !== 'deny').toBe(listed);
      }),
    );
  });

  test('names the grant that decided, and it is in force', () => {
    fc.assert(
      fc.property(grants, target, time, (these, about, now) => {
        const { grantId, effect } = decideWith(these, about, now);
        const alone = these.filter(({ id }) => id === grantId);
        if (grantId !== null) expect(alone).toMatchObject([{ effect }]);
        else expect(effect).toBe('deny');
        if (effect === 'allow') expect(decideWith(alone, about, now).effect).toBe('allow');
      }),
    );
  });

  test('never throws, whatever is asked', () => {
    fc.assert(
      fc.property(grants, fc.anything(), fc.anything(), fc.double(), (these, about, args, now) => {
        const of = { id: uuid('cccccccc', 1), slug: 's', tags: [], environment: null };
        const asked = { kind: 'tools', name: '', ...(about as object), server: of } as Target;
        const decision = decide(compileTable({ agent, grants: these }), { ...asked, name: String(asked.name) }, args as never, now);
        expect(['allow', 'deny']).toContain(decision.effect);
      }),
    );
  });

  test('a decision holds until the next change of the table', () => {
    fc.assert(
      fc.property(grants, target, time, time, (these, about, now, later) => {
        const table = compileTable({ agent, grants: these });
        const until = nextChangeAt(table, now) ?? Infinity;
        fc.pre(later >= now && later < until);
        expect(decide(table, about, undefined, later).effect).toBe(decide(table, about, undefined, now).effect);
        expect(until).toBeGreaterThan(now);
      }),
    );
  });
});

describe('compileGlob', () => {
  test('agrees with a naive matcher', () => {
    fc.assert(
      fc.property(pattern, fc.string({ unit: fc.constantFrom('a', 'b', '_', '*'), maxLength: 8 }), (glob, text) => {
        expect(compileGlob(glob)(text)).toBe(naiveMatch(glob, text));
      }),
      {
        numRuns: 5000,
      },
    );
  });

  test('without a star means exactly the name', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (one, other) => {
        fc.pre(!isGlob(one));
        expect(compileGlob(one)(one)).toBe(true);
        expect(compileGlob(one)(other)).toBe(one === other);
      }),
    );
  });

  test('a hostile glob on a hostile name is answered', () => {
    const glob = compileGlob(`*${'a'.repeat(1000)}b*`.repeat(2).slice(0, 2048));
    expect(glob('a'.repeat(1_000_000))).toBe(false);
  });
});

test('selectors never reach the gateway’s own tools, whatever they select: only a grant that names them does', () => {
  const own = { id: OWN_SERVER_ID, slug: 'portcullis', tags: [], environment: null };
  const usual = { subject: { agentId }, kind: 'tools', names: ['*'], effect: 'allow', notBefore: null, expiresAt: null } as const;
  const everything = { ...usual, id: uuid('dddddddd', 1), names: ['*'], target: { selector: { annotations: { readOnlyHint: false } } } };
  const named = { ...usual, id: uuid('dddddddd', 2), names: ['request_access'], target: { serverId: OWN_SERVER_ID } };
  const decided = (of: typeof own, ...held: GrantEntry[]) =>
    decide(compileTable({ agent, grants: held }), { server: of, kind: 'tools', name: 'request_access' }, {}, 0).effect;
  expect(decided({ ...own, id: uuid('cccccccc', 1) }, everything)).toBe('allow');
  expect(decided(own, everything)).toBe('deny');
  expect(decided(own, named)).toBe('allow');
  expect(decided(own, named, { ...everything, effect: 'deny' })).toBe('allow');
});
