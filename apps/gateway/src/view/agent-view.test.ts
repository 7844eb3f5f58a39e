import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideTarget } from '../policy/decide-target.js';
import { aSnapshot } from '../testing/build-gateway.js';
import { aDefinition, aGrant, anAgent, aServer, aTool } from '../testing/policy-builders.js';
import { AgentViews } from './agent-views.js';

const agent = anAgent('alice');
const now = 1_000_000;
const name = fc.constantFrom('a', 'ab', 'b', 'x__a', 'constructor');
const slug = fc.constantFrom('one', 'two', 'two-three');

const policies = fc
  .tuple(
    fc.uniqueArray(fc.record({ slug, names: fc.uniqueArray(name), enabled: fc.boolean() }), { selector: (one) => one.slug }),
    fc.array(fc.nat(30)),
  )
  .chain(([servers, picks]) => {
    const entries = servers.map((one) =>
      aServer(
        one.slug,
        one.names.map((tool) => aTool(tool)),
        { enabled: one.enabled },
      ),
    );
    const grant = fc.record({
      at: fc.nat(5),
      names: fc.uniqueArray(fc.constantFrom('a', 'a*', '*', '*b', 'x__a')),
      effect: fc.constantFrom('allow' as const, 'deny' as const),
      notBefore: fc.constantFrom(null, now - 1, now + 10),
      expiresAt: fc.constantFrom(null, now + 5, now - 1),
    });
    return fc.tuple(fc.constant(entries), fc.array(grant, { maxLength: 6 }), fc.constant(picks));
  });

test('of views that were made under other keys none is left: cursors in their pages would open no more', () => {
  const server = aServer('one', [aTool('a')]);
  const live = aSnapshot({ servers: [server], agents: [agent], grants: [aGrant(agent, server)] });
  const views = new AgentViews(10);
  const view = views.of(agent, null, { live, now });
  expect(views.of(agent, null, { live, now })).toBe(view);
  views.forget();
  expect(views.of(agent, null, { live, now })).not.toBe(view);
});

describe('a view', () => {
  test('resolves every tool it lists to one that is allowed, and no other name', () => {
    fc.assert(
      fc.property(policies, fc.constantFrom('double-underscore' as const, 'colon' as const, 'dot' as const), ([servers, grants], toolNameStyle) => {
        const caller = { ...agent, toolNameStyle };
        const entries = grants.flatMap(({ at, ...rest }) => {
          const server = servers[at % Math.max(servers.length, 1)];
          return server === undefined ? [] : [aGrant(caller, server, rest)];
        });
        const live = aSnapshot({ servers, agents: [caller], grants: entries });
        const view = new AgentViews(10).of(caller, null, { live, now });
        const listed = view.list('tool');
        expect(new Set(listed.map(({ wire }) => wire)).size).toBe(listed.length);
        for (const target of listed) {
          expect(view.find('tool', target.wire)).toBe(target);
          expect(decideTarget(view, target, undefined, now).effect).toBe('allow');
          expect(target.server.enabled).toBe(true);
        }
        for (const server of servers) {
          for (const definition of server.definitions) {
            const canonical = `${server.slug}:${definition.name}`;
            const isListed = listed.some((target) => target.definition === definition);
            expect(view.find('tool', canonical)?.definition === definition).toBe(isListed);
          }
        }
      }),
    );
  });

  test('is the same object while nothing it was made from changes, and another when something does', () => {
    const server = aServer('one', [aTool('a')]);
    const other = aServer('other', [aTool('b')]);
    const grant = aGrant(agent, server, { expiresAt: now + 100 });
    const grants = [grant];
    const views = new AgentViews(10);
    const first = views.of(agent, null, { live: aSnapshot({ servers: [server], grants }), now });
    expect(views.of(agent, null, { live: aSnapshot({ servers: [server, other], grants }), now: now + 99 })).toBe(first);
    expect(views.of(agent, null, { live: aSnapshot({ servers: [server], grants }), now: now + 100 }).list('tool')).toEqual([]);
    const changed = { ...server, definitions: [aTool('c')] };
    expect(
      views
        .of(agent, null, { live: aSnapshot({ servers: [changed], grants }), now })
        .list('tool')
        .map(({ wire }) => wire),
    ).toEqual(['one__c']);
    expect(views.of(agent, null, { live: aSnapshot({ servers: [server], grants: [] }), now }).list('tool')).toEqual([]);
  });

  test.each([
    ['a__b'],
    ['one__a\n'],
    ['ONE__a'],
    ['one_a'],
    [':'],
    ['one:'],
    [':a'],
    ['one::a'],
    ['one：a'],
    ['__proto__:x'],
    ['one__a '],
    ['a'],
    [''],
  ])('does not know %j', (wire) => {
    const server = aServer('one', [aTool('a')]);
    const live = aSnapshot({ servers: [server], grants: [aGrant(agent, server)] });
    expect(new AgentViews(10).of(agent, null, { live, now }).find('tool', wire)).toBeUndefined();
  });

  test('finds a resource by its URI or a granted template, and never beyond a slash', () => {
    const server = aServer('one', [aDefinition('resource', 'test://a'), aDefinition('resource_template', 'test://t/{id}/data')]);
    const deny = aGrant(agent, server, { kind: 'resources', names: ['test://t/secret/data'], effect: 'deny' });
    const live = aSnapshot({ servers: [server], grants: [aGrant(agent, server, { kind: 'resources' }), deny] });
    const view = new AgentViews(10).of(agent, null, { live, now });
    expect(view.find('resource', 'test://a')?.definition.name).toBe('test://a');
    expect(view.find('resource', 'test://t/5/data')?.definition.name).toBe('test://t/{id}/data');
    for (const uri of ['test://t/5/6/data', 'test://t/../data/data', 'test://b', 'test://t/5']) expect(view.find('resource', uri)).toBeUndefined();
    const secret = view.find('resource', 'test://t/secret/data');
    expect(secret && decideTarget(view, secret, undefined, now).effect).toBe('deny');
  });
});
