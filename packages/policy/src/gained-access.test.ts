import type { AgentEntry, GrantEntry, ServerEntry } from '@portcullis/contracts/snapshot';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideUri } from './decide-uri.js';
import { decide } from './decide.js';
import { gainedAccess, type Reach } from './gained-access.js';
import { compileTable } from './policy-table.js';

const AGENT = '00000000-0000-4000-8000-000000000001';
const GROUP = '00000000-0000-4000-8000-000000000002';
const SERVERS = ['00000000-0000-4000-8000-00000000000a', '00000000-0000-4000-8000-00000000000b'];
const NOW = 50;

const agent: AgentEntry = { id: AGENT, slug: 'a', enabled: true, toolNameStyle: 'double-underscore', groupIds: [], keys: [] };
let ids = 0;
const grant = (rest: Partial<GrantEntry> = {}): GrantEntry => ({
  id: `00000000-0000-4000-9000-${String((ids += 1)).padStart(12, '0')}`,
  subject: { agentId: AGENT },
  target: { serverId: SERVERS[0] ?? '' },
  kind: 'tools',
  names: ['create_issue'],
  effect: 'allow',
  notBefore: null,
  expiresAt: null,
  ...rest,
});
const server = (rest: Partial<ServerEntry> = {}): ServerEntry => ({
  id: SERVERS[0] ?? '',
  slug: 'github',
  url: 'https://github.example.com/mcp',
  enabled: true,
  era: 'modern',
  tags: ['code'],
  environment: 'prod',
  instructions: null,
  capabilitiesJson: '{}',
  limits: { concurrency: 1, firstByteTimeoutMs: 1, totalTimeoutMs: 1, resultBytesMax: 1 },
  definitions: [],
  ...rest,
});
const definition = (name: string, hash = 'a') => ({ kind: 'tool' as const, name, hash: hash.repeat(64), json: '{}' });
const reach = (grants: GrantEntry[], rest: Partial<Reach> = {}): Reach => ({ agent, grants, servers: [], ...rest });
const gains = (before: Reach, after: Reach): string[] => gainedAccess(before, after, NOW).map(({ kind, name }) => `${kind} ${name}`);

const base = grant();
const deny = grant({ effect: 'deny', names: ['delete_*'] });
const all = grant({ names: ['*'] });
const selecting = grant({ target: { selector: { tags: { anyOf: ['code'] } } }, names: ['*'] });

const template = grant({ kind: 'resources', names: ['file:///docs/{path}'] });
const strict = grant({ rateLimit: { calls: 2, perSeconds: 60 } });
const loose = grant({ rateLimit: { calls: 1000, perSeconds: 1 } });
const weighing = grant({ condition: 'args.a == 1' });

const secrets = { names: ['*'], action: 'redact', secrets: true } as const;
const texts = { names: ['*'], action: 'redact', texts: ['ACME-*', 'internal'] } as const;
const paths = { names: ['*'], action: 'block', paths: ['/a'] } as const;

/** The same agent with the same grant, at a server whose rules on answers change. */
function answered(cases: Record<string, [object | undefined, object | undefined]>): Record<string, [Reach, Reach]> {
  const at = (rules: object | undefined): Reach =>
    reach([base], { servers: [server(rules && { answerRules: rules as ServerEntry['answerRules'] })] });
  return Object.fromEntries(Object.entries(cases).map(([what, [was, is]]) => [what, [at(was), at(is)]]));
}

describe('is a gain:', () => {
  const cases: Record<string, [Reach, Reach]> = {
    'a grant where there was none': [reach([]), reach([base])],
    'a grant that starts later': [reach([]), reach([grant({ notBefore: 1000 })])],
    'another name': [reach([base]), reach([{ ...base, names: ['create_issue', 'merge'] }])],
    'a glob in place of a name': [reach([base]), reach([{ ...base, names: ['create_*'] }])],
    'a later end': [reach([{ ...base, expiresAt: 100 }]), reach([{ ...base, expiresAt: 200 }])],
    'an earlier start': [reach([{ ...base, notBefore: 200 }]), reach([{ ...base, notBefore: 100 }])],
    'a condition taken away': [reach([{ ...base, condition: 'args.a == 1' }]), reach([base])],
    'another condition': [reach([{ ...base, condition: 'args.a == 1' }]), reach([{ ...base, condition: 'true' }])],
    'a pin taken away': [reach([{ ...base, pinned: { repo: 'acme' } }]), reach([base])],
    'another value pinned': [reach([{ ...base, pinned: { repo: 'acme' } }]), reach([{ ...base, pinned: { repo: 'evil' } }])],
    'a higher rate': [reach([{ ...base, rateLimit: { calls: 1, perSeconds: 60 } }]), reach([{ ...base, rateLimit: { calls: 2, perSeconds: 60 } }])],
    'a shadow grant enforced': [reach([{ ...base, mode: 'shadow' }]), reach([base])],
    'a denial taken away': [reach([all, deny]), reach([all])],
    'a denial narrowed': [reach([all, deny]), reach([all, { ...deny, names: ['delete_repo'] }])],
    'a denial that ends': [reach([all, deny]), reach([all, { ...deny, expiresAt: 1000 }])],
    'a denial turned into a shadow': [reach([all, deny]), reach([all, { ...deny, mode: 'shadow' }])],
    'a denial taken away of a URI that a granted template makes': [
      reach([template, grant({ kind: 'resources', effect: 'deny', names: ['file:///docs/secret'] })]),
      reach([template]),
    ],
    'a denial taken away of such a URI, spelled otherwise': [
      reach([template, grant({ kind: 'resources', effect: 'deny', names: ['file:///x/%2e%2e/docs/secret'] })]),
      reach([template]),
    ],
    'a denial by glob taken away of URIs that a granted glob of templates makes': [
      reach([{ ...template, names: ['file:///d*'] }, grant({ kind: 'resources', effect: 'deny', names: ['file:///docs/s*'] })]),
      reach([{ ...template, names: ['file:///d*'] }]),
    ],
    'the stricter of two limits taken away, where it counted': [reach([strict, loose]), reach([loose])],
    'the stricter of two limits narrowed, where it counted': [reach([strict, loose]), reach([{ ...strict, names: ['merge'] }, loose])],
    'the stricter of two limits raised, where it counted': [reach([strict, loose]), reach([{ ...strict, rateLimit: loose.rateLimit }, loose])],
    'a limited grant taken away that spoke before one whose condition holds as well': [reach([strict, weighing]), reach([weighing])],
    'a condition for the stricter of two limits, which spoke first because it had none': [
      reach([{ ...loose, id: base.id, condition: 'args.a == 1' }, strict]),
      reach([
        { ...loose, id: base.id, condition: 'args.a == 1' },
        { ...strict, condition: 'args.a == 2' },
      ]),
    ],
    'another limited grant made to speak before the stricter one': [
      reach([grant({ id: base.id, names: ['merge'], rateLimit: loose.rateLimit }), strict, loose]),
      reach([grant({ id: base.id, rateLimit: loose.rateLimit }), strict]),
    ],
    'a pin that was put into what another grant allows as well': [
      reach([grant({ id: base.id, pinned: { dry: true } }), weighing]),
      reach([weighing]),
    ],
    'a tag taken away by which the stricter of two limits was selected': [
      reach([{ ...strict, target: selecting.target }, loose], { servers: [server()] }),
      reach([{ ...strict, target: selecting.target }, loose], { servers: [server({ tags: [] })] }),
    ],
    'an agent switched on': [reach([base], { agent: { ...agent, enabled: false } }), reach([base])],
    'membership of a group': [
      reach([grant({ subject: { groupId: GROUP } })]),
      reach([grant({ subject: { groupId: GROUP } })], { agent: { ...agent, groupIds: [GROUP] } }),
    ],
    'a server switched on': [
      reach([all], { servers: [server({ enabled: false, definitions: [definition('merge')] })] }),
      reach([all], { servers: [server({ definitions: [definition('merge')] })] }),
    ],
    'a definition approved': [reach([all], { servers: [server()] }), reach([all], { servers: [server({ definitions: [definition('merge')] })] })],
    'a changed definition approved': [
      reach([all], { servers: [server({ definitions: [definition('merge')] })] }),
      reach([all], { servers: [server({ definitions: [definition('merge', 'b')] })] }),
    ],
    'a server moved to another address': [
      reach([all], { servers: [server()] }),
      reach([all], { servers: [server({ url: 'https://elsewhere.example.com' })] }),
    ],
    'a tag that a selector selects': [reach([selecting], { servers: [server({ tags: [] })] }), reach([selecting], { servers: [server()] })],
    'a server that a selector selects': [reach([selecting]), reach([selecting], { servers: [server()] })],
    'a tag taken from what a denial selects': [
      reach([all, grant({ effect: 'deny', target: { selector: { tags: { anyOf: ['secret'] } } }, names: ['*'] })], {
        servers: [server({ tags: ['secret'] })],
      }),
      reach([all, grant({ effect: 'deny', target: { selector: { tags: { anyOf: ['secret'] } } }, names: ['*'] })], {
        servers: [server({ tags: [] })],
      }),
    ],
    'a selector that demands less': [reach([selecting]), reach([{ ...selecting, target: { selector: {} } }])],
    'an annotation no longer demanded': [
      reach([{ ...selecting, target: { selector: { annotations: { readOnlyHint: true } } } }]),
      reach([{ ...selecting, target: { selector: {} } }]),
    ],
    ...answered({
      'rules on answers taken away': [{ rules: [secrets] }, undefined],
      'a rule on answers taken away': [{ rules: [secrets, texts] }, { rules: [secrets] }],
      'answers redacted that were blocked': [{ rules: [{ ...texts, action: 'block' }] }, { rules: [texts] }],
      'answers only logged that were redacted': [{ rules: [secrets] }, { rules: [{ ...secrets, action: 'log' }] }],
      'fewer texts looked for': [{ rules: [texts] }, { rules: [{ ...texts, texts: ['ACME-*'] }] }],
      'other places looked for': [{ rules: [paths] }, { rules: [{ ...paths, paths: ['/b'] }] }],
      'answers of fewer names looked at': [{ rules: [secrets] }, { rules: [{ ...secrets, names: ['get_*'] }] }],
      'answers for other agents looked at': [{ rules: [secrets] }, { rules: [{ ...secrets, agents: ['b*'] }] }],
      'longer answers let through': [{ bytesMax: 1024, rules: [secrets] }, { rules: [secrets] }],
    }),
    'a rule on answers of a granted template taken away': [
      reach([template], { servers: [server({ answerRules: { rules: [{ ...secrets, names: ['file:///docs/secret'] }] } })] }),
      reach([template], { servers: [server()] }),
    ],
    'a term that this version does not know': [reach([Object.assign(grant(), { id: base.id, quota: 1 })]), reach([base])],
  };
  test.each(Object.entries(cases))('%s', (_what, [before, after]) => {
    expect(gains(before, after)).not.toEqual([]);
  });
});

describe('is no gain:', () => {
  const cases: Record<string, [Reach, Reach]> = {
    nothing: [reach([base, deny, selecting]), reach([base, deny, selecting])],
    'the same grant written anew': [reach([base]), reach([grant()])],
    'a name less': [reach([{ ...base, names: ['create_issue', 'merge'] }]), reach([base])],
    'a name in place of a glob': [reach([all]), reach([base])],
    'an earlier end': [reach([base]), reach([{ ...base, expiresAt: 100 }])],
    'a grant that is over': [reach([]), reach([grant({ expiresAt: NOW })])],
    'a condition where there was none': [reach([base]), reach([{ ...base, condition: 'args.a == 1' }])],
    'a pin more': [reach([base]), reach([{ ...base, pinned: { repo: 'acme' } }])],
    ...answered({
      'a rule on answers where there was none': [undefined, { rules: [secrets] }],
      'a stricter rule on answers': [{ rules: [secrets] }, { rules: [{ ...secrets, action: 'block' }, texts] }],
      'rules on answers said in other parts': [{ rules: [texts] }, { rules: texts.texts.map((text) => ({ ...texts, texts: [text] })) }],
      'a rule on answers that only logs taken away': [{ rules: [{ ...secrets, action: 'log' }] }, undefined],
      'a rule on answers for other agents taken away': [{ rules: [{ ...secrets, agents: ['b*'] }] }, undefined],
      'a rule on answers of what it may not call taken away': [{ rules: [{ ...secrets, names: ['merge'] }] }, undefined],
      'shorter answers let through': [{ rules: [secrets] }, { bytesMax: 1024, rules: [secrets] }],
    }),
    'a limit where there was none': [reach([base]), reach([{ ...base, rateLimit: { calls: 1, perSeconds: 1 } }])],
    'a shadow grant': [reach([]), reach([grant({ mode: 'shadow' })])],
    'a denial more': [reach([all]), reach([all, deny])],
    'a denial taken away of what nothing allows': [reach([base, deny]), reach([base])],
    'a grant of what stays denied': [reach([deny]), reach([deny, grant({ names: ['delete_repo'] })])],
    'a grant that goes': [reach([base]), reach([])],
    'a denial taken away of URIs that no granted template makes': [
      reach([template, grant({ kind: 'resources', effect: 'deny', names: ['file:///etc/passwd'] })]),
      reach([template]),
    ],
    'the stricter of two limits made stricter': [reach([strict, loose]), reach([{ ...strict, rateLimit: { calls: 1, perSeconds: 60 } }, loose])],
    'a limit that never counted': [reach([loose, grant({ rateLimit: { calls: 1, perSeconds: 60 } })]), reach([loose])],
    'an agent switched off': [reach([base]), reach([base], { agent: { ...agent, enabled: false } })],
    'a grant to a group it is not in': [reach([]), reach([grant({ subject: { groupId: GROUP } })])],
    'a definition approved that it may not use': [
      reach([base], { servers: [server()] }),
      reach([base], { servers: [server({ definitions: [definition('merge')] })] }),
    ],
    'a definition that goes': [reach([all], { servers: [server({ definitions: [definition('merge')] })] }), reach([all], { servers: [server()] })],
    'a tag that no selector selects': [
      reach([selecting], { servers: [server()] }),
      reach([selecting], { servers: [server({ tags: ['code', 'x'] })] }),
    ],
    'a selector that demands more': [
      reach([selecting]),
      reach([{ ...selecting, target: { selector: { tags: { anyOf: ['code'] }, environment: 'dev' } } }]),
    ],
  };
  test.each(Object.entries(cases))('%s', (_what, [before, after]) => {
    expect(gains(before, after)).toEqual([]);
  });
});

const names = ['a', 'ab', 'abc', 'b', 'c'];
const patterns = fc.constantFrom('*', 'a*', '*b', 'a*c', '*b*', ...names);
const time = fc.option(fc.constantFrom(10, 50, 60, 100), { nil: null, freq: 1 });
const selectors = [{}, { tags: { anyOf: ['x'] } }, { environment: 'prod' }, { annotations: { readOnlyHint: true } }];
const readOnly = { json: '{"annotations":{"readOnlyHint":true}}' };
const someGrant = fc.record(
  {
    subject: fc.constantFrom({ agentId: AGENT }, { agentId: AGENT }, { agentId: AGENT }, { groupId: GROUP }),
    target: fc.constantFrom(...SERVERS.map((serverId) => ({ serverId })), ...selectors.map((selector) => ({ selector }))),
    names: fc.array(patterns, { minLength: 1, maxLength: 2 }),
    effect: fc.constantFrom('allow' as const, 'deny' as const),
    notBefore: time,
    expiresAt: time,
    condition: fc.constantFrom('args.a == 1', 'args.a == 2', 'has(args.b)'),
    pinned: fc.constantFrom<Record<string, number>>({ a: 1 }, { a: 2 }, { b: 1 }),
    rateLimit: fc.constantFrom({ calls: 1, perSeconds: 60 }, { calls: 9, perSeconds: 60 }),
    mode: fc.constantFrom('enforce' as const, 'shadow' as const),
  },
  { requiredKeys: ['subject', 'target', 'names', 'effect', 'notBefore', 'expiresAt'] },
);
const someAgent = fc.record({ enabled: fc.constantFrom(true, true, true, false), groupIds: fc.constantFrom<string[]>([], [GROUP]) });
const someServers = fc.tuple(
  ...SERVERS.map((id) => fc.record({ id: fc.constant(id), tags: fc.subarray(['x']), environment: fc.constantFrom(null, 'prod') })),
);
const someState = fc.record({ agent: someAgent, servers: someServers });

const terms = ['names', 'target', 'effect', 'notBefore', 'expiresAt', 'condition', 'pinned', 'rateLimit', 'mode'] as const;
/** Of one id before and after a change: it comes, goes, stays, or is another in some of its terms. */
const someGrants = fc.uniqueArray(
  fc.record({ at: fc.nat(999), was: fc.option(someGrant), is: someGrant, changed: fc.subarray([...terms]), goes: fc.boolean() }),
  { maxLength: 5, selector: ({ at }) => at },
);
const heldAs = (one: Partial<GrantEntry> | null, at: number): GrantEntry[] => {
  if (one === null) return [];
  const { pinned: _pinned, rateLimit: _rateLimit, ...plain } = one;
  // What denies pins and limits nothing.
  return [grant({ ...(one.effect === 'deny' ? plain : one), id: `00000000-0000-4000-9000-${String(at).padStart(12, '0')}` })];
};

test('whatever is called after a change and was not before, or at a lower rate, at any later moment, is among what was gained', () => {
  fc.assert(
    fc.property(someGrants, someState, someState, fc.constantFrom(true, true, true, false), (grants, one, other, same) => {
      const stateAt = (turn: 0 | 1) => {
        const state = turn === 0 || same ? one : other;
        return {
          agent: { ...agent, ...state.agent },
          grants: grants.flatMap(({ at, was, is, changed, goes }) => {
            if (turn === 0 || was === null) return heldAs(turn === 0 ? was : is, at);
            return heldAs(goes ? null : { ...was, ...Object.fromEntries(changed.map((term) => [term, is[term]])) }, at);
          }),
          servers: state.servers.map((each) => server({ ...each, slug: each.id.slice(-1) })),
        };
      };
      const [old, after] = [stateAt(0), stateAt(1)];
      if (gainedAccess(old, after, NOW).length > 0) return;
      const [was, is] = [compileTable(old), compileTable(after)];
      for (const { place, args, at, ...target } of cases()) {
        const [there, here] = [old.servers[place], after.servers[place]];
        if (there === undefined || here === undefined) continue;
        const allowed = decide(is, { ...target, server: here }, args, at);
        if (allowed.effect !== 'allow') continue;
        // What reaches the server counts: whoever sends that may have been allowed to before.
        const forwarded = { ...args, ...allowed.pinned };
        const before = [args, forwarded].map((sent) => ({ sent, ...decide(was, { ...target, server: there }, sent, at) }));
        const alike = before.filter(({ sent, effect, pinned }) => effect === 'allow' && isDeepStrictEqual({ ...sent, ...pinned }, forwarded));
        const callsBefore = Math.max(...alike.map(({ rateLimit }) => rateLimit?.calls ?? Infinity));
        expect(allowed.rateLimit?.calls ?? Infinity).toBeLessThanOrEqual(callsBefore);
      }
    }),
    { numRuns: 2000 },
  );
});

function* cases() {
  for (const place of [0, 1])
    for (const name of names)
      for (const definition of [readOnly, { json: '{}' }])
        for (const at of [50, 60, 99, 1000])
          for (const args of [{ a: 1 }, { a: 2 }, { a: 1, b: 1 }, { b: 1 }, {}]) yield { place, kind: 'tools' as const, name, definition, at, args };
}

const uris = ['x:///a', 'x:///b/a', 'x:///b/c', 'x:///c'];
const offered = [
  { kind: 'resource' as const, name: 'x:///a' },
  { kind: 'resource_template' as const, name: 'x:///{name}' },
  { kind: 'resource_template' as const, name: 'x:///b/{name}' },
  { kind: 'resource_template' as const, name: 'x:///{+path}' },
].map((one) => ({ ...one, hash: 'a'.repeat(64), json: '{}' }));
const someResource = fc.constantFrom(
  '*',
  'x:///*',
  'x:///b/*',
  '*a',
  'x:///{name}',
  'x:///b/{name}',
  'x:///{+path}',
  'x:///%61',
  'x:///c/../a',
  ...uris,
);
const someRule = fc.record({
  at: fc.nat(99),
  names: fc.array(someResource, { minLength: 1, maxLength: 2 }),
  effect: fc.constantFrom('allow' as const, 'allow' as const, 'deny' as const),
});
const someRules = fc.uniqueArray(someRule, { maxLength: 4, selector: ({ at }) => at });

test('whatever resource can be read after a change and could not before is among what was gained, by whatever template', () => {
  fc.assert(
    fc.property(someRules, someRules, fc.boolean(), (one, other, stays) => {
      const of = server({ definitions: offered });
      const grants = (these: typeof one): GrantEntry[] =>
        these.map(({ at, ...rest }) => grant({ ...rest, kind: 'resources', id: `00000000-0000-4000-9000-${String(at).padStart(12, '0')}` }));
      const [was, is] = [grants(one), grants(stays ? [...one.slice(1), ...other.slice(0, 1)] : other)];
      if (gains(reach(was), reach(is)).length > 0) return;
      const reads = (these: GrantEntry[], uri: string): boolean =>
        decideUri(compileTable({ agent, grants: these }), { server: of, definitions: offered }, uri, { args: {}, now: NOW })?.decision.effect ===
        'allow';
      for (const uri of uris) expect([uri, reads(is, uri) && !reads(was, uri)]).toEqual([uri, false]);
    }),
    { numRuns: 1000 },
  );
});
