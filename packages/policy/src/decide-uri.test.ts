import { DefinitionKind } from '@portcullis/contracts/names';
import type { GrantEntry } from '@portcullis/contracts/snapshot';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideUri } from './decide-uri.js';
import { compileTable } from './policy-table.js';
import { canonicalUri, deniedForm } from './resource-uri.js';

const id = (n: number): string => `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`;
const agent = { id: id(1), slug: 'bot', enabled: true, toolNameStyle: 'double-underscore' as const, groupIds: [], keys: [] };
const server = { id: id(2), slug: 'files', tags: [], environment: null };
const offers = (kind: DefinitionKind, name: string) => ({ kind, name, json: '{}' });
const definitions = [
  offers('tool', 'file:///docs/a'),
  offers('resource', 'file:///docs/listed'),
  offers('resource_template', 'file:///docs/{name}'),
  offers('resource_template', 'file:///{+path}'),
];
let grants = 10;
const grant = (names: string[], rest: Partial<GrantEntry> = {}): GrantEntry => ({
  id: id((grants += 1)),
  subject: { agentId: agent.id },
  target: { serverId: server.id },
  kind: 'resources',
  names,
  effect: 'allow',
  notBefore: null,
  expiresAt: null,
  ...rest,
});
const decided = (uri: string, ...held: GrantEntry[]) => {
  const found = decideUri(compileTable({ agent, grants: held }), { server, definitions }, uri, { args: {}, now: 1 });
  return found && `${found.decision.effect} ${found.definition.name} ${found.decision.reasons[0]?.code ?? ''}`;
};
const docs = grant(['file:///docs/{name}']);
const all = grant(['*']);

describe('a URI is decided', () => {
  test.each<[string, string, GrantEntry[], string | undefined]>([
    ['by the resource of its name', 'file:///docs/listed', [all], 'allow file:///docs/listed granted'],
    ['by a template that is granted, where the resource is not', 'file:///docs/listed', [docs], 'allow file:///docs/{name} granted'],
    ['by the first template by name', 'file:///docs/x', [all], 'allow file:///docs/{name} granted'],
    ['by the template that is granted', 'file:///docs/x', [grant(['file:///{+path}'])], 'allow file:///{+path} granted'],
    [
      'as denied where it is itself',
      'file:///docs/x',
      [docs, grant(['file:///docs/x'], { effect: 'deny' })],
      'deny file:///docs/{name} denied_by_grant',
    ],
    ['as denied by a glob', 'file:///docs/x', [docs, grant(['*/x'], { effect: 'deny' })], 'deny file:///docs/{name} denied_by_grant'],
    ['as no more than its template allows', 'file:///docs/x', [grant(['file:///docs/x'])], 'deny file:///docs/{name} no_grant'],
    ['as nothing, where nothing offers it', 'mem:x', [all], undefined],
    ['as nothing, in another spelling than the normal one', 'file:///docs/%78', [all], undefined],
  ])('%s', (_how, uri, held, told) => {
    expect(decided(uri, ...held)).toBe(told);
  });

  test.each(['file:///docs/secret', 'file:///docs/%73ecret', 'file:///docs/x/../secret', 'file:///docs%2fsecret'])(
    'and denied however the denial %s spells it, and however it is asked for',
    (spelled) => {
      const deny = grant([spelled], { effect: 'deny' });
      for (const uri of ['file:///docs/secret', 'file:///docs%2Fsecret']) expect(decided(uri, all, deny)).toMatch(/^deny .* denied_by_grant$/);
    },
  );

  test('never another way for a URI that servers may read as the one that is denied', () => {
    const segment = fc.constantFrom(
      'a',
      'secret',
      '.',
      '..',
      '%2e%2e',
      '%2E',
      '',
      'é',
      '%c3%a9',
      '%ff',
      'a%2fb',
      'a%2Fsecret',
      '%73ecret',
      'a?b',
      '#',
    );
    const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => `file:///docs/${segments.join('/')}`);
    fc.assert(
      fc.property(path, path, (denied, asked) => {
        const uri = canonicalUri(asked);
        const deny = grant([denied], { effect: 'deny' });
        const isDenied = deniedForm(uri) === deniedForm(denied);
        expect(decided(uri, all, deny)?.startsWith('deny') ?? true).toBe(isDenied || decided(uri, all) === undefined);
        if (canonicalUri(asked) !== asked) expect(decided(asked, all)).toBeUndefined();
      }),
      { numRuns: 500 },
    );
  });

  test('and a conditional denial of the URI itself is weighed as one of its template', () => {
    expect(decided('file:///docs/x', docs, grant(['file:///docs/x'], { effect: 'deny', condition: '"a" in args' }))).toContain('allow');
    expect(decided('file:///docs/x', docs, grant(['file:///docs/x'], { effect: 'deny', condition: '!("a" in args)' }))).toContain(
      'deny file:///docs/{name} denied_by_condition',
    );
  });
});
