import { isSpecType } from '@modelcontextprotocol/server';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalDefinition, cutDefinitions } from './definitions.js';
import { definitionFault, type DefinitionKey } from './definition-shape.js';

const tool = (over: object = {}): object => ({ name: 'read', inputSchema: { type: 'object' }, ...over });
const answer = (list: unknown[], key: DefinitionKey = 'tools'): string =>
  JSON.stringify({ jsonrpc: '2.0', id: 1, result: { [key]: list, nextCursor: 'c' } });
const names = (text: string, key: DefinitionKey = 'tools'): string[] => cutDefinitions(text, key).pieces.map((piece) => piece.identity);

describe('a definition keeps its bytes', () => {
  it('white space, key order, escapes and long numbers are as the server sent them', () => {
    const json = '{ "inputSchema" : {"type":"object","properties":{"n":{"maximum":9223372036854775807}}},\n\t"name":"re\\u0061d", "x": 1.0 }';
    const { pieces, problems } = cutDefinitions(
      ` { "id":1, "result" : {"nextCursor":"]","tools": [ ${json} , ${JSON.stringify(tool({ name: 'b' }))}\n] } }`,
      'tools',
    );
    expect(problems).toEqual([]);
    expect(pieces.map((piece) => [piece.identity, piece.json])).toEqual([
      ['read', json],
      ['b', JSON.stringify(tool({ name: 'b' }))],
    ]);
  });

  it('any list is cut so that the pieces parse to its elements', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(
          fc.stringMatching(/^[a-z]{1,8}$/).filter((name) => !(name in {})),
          { maxLength: 8 },
        ),
        fc.jsonValue().filter((extra) => !JSON.stringify(extra).includes('__proto__')),
        fc.constantFrom(undefined, 2),
        (list, extra, indent) => {
          const tools = list.map((name) => tool({ name, extra: JSON.parse(JSON.stringify(extra)) as unknown, description: '}],"\\' }));
          const cut = cutDefinitions(JSON.stringify({ result: { before: extra, tools, after: extra } }, null, indent), 'tools');
          expect(cut.pieces.map((piece) => JSON.parse(piece.json) as unknown)).toEqual(JSON.parse(JSON.stringify(tools)));
        },
      ),
    );
  });

  it('a bare result is accepted, and of duplicate members the last, as JSON.parse does', () => {
    expect(names(JSON.stringify({ tools: [tool()] }))).toEqual(['read']);
    expect(
      names(
        `{"result":{"tools":[]},"r\\u0065sult":{"tools":[${JSON.stringify(tool({ name: 'a' }))}],"tools":[${JSON.stringify(tool({ name: 'b' }))}]}}`,
      ),
    ).toEqual(['b']);
  });
});

describe('one bad definition is set aside alone and reported', () => {
  it.each([
    ['not an object', 1],
    ['null', null],
    ['no name', { inputSchema: { type: 'object' } }],
    ['empty name', tool({ name: '' })],
    ['colon', tool({ name: 'x:y' })],
    ['space', tool({ name: 'a b' })],
    ['emoji', tool({ name: '👍' })],
    ['line break', tool({ name: 'a\n' })],
    ['NUL', tool({ name: 'a\u0000' })],
    ['lone surrogate', tool({ name: 'a\ud800' })],
    ['129 characters', tool({ name: 'x'.repeat(129) })],
    ['constructor', tool({ name: 'constructor' })],
    ['__proto__', tool({ name: '__proto__' })],
    ['no inputSchema', { name: 'a' }],
    ['inputSchema true', tool({ inputSchema: true })],
    ['inputSchema of an array', tool({ inputSchema: { type: 'array' } })],
    ['inputSchema without type', tool({ inputSchema: {} })],
    ['boolean property', tool({ inputSchema: { type: 'object', properties: { a: true } } })],
    ['required of numbers', tool({ inputSchema: { type: 'object', required: [1] } })],
    ['outputSchema as text', tool({ outputSchema: 'x' })],
    ['description null', tool({ description: null })],
    ['annotations array', tool({ annotations: [] })],
    ['hint as text', tool({ annotations: { readOnlyHint: 'yes' } })],
    ['icon without src', tool({ icons: [{}] })],
    ['icon that is a script', tool({ icons: [{ src: 'JavaScript:alert(1)' }] })],
    ['icon that is a page', tool({ icons: [{ src: 'data:text/html,<script>' }] })],
    ['icon that is a file of the client', tool({ icons: [{ src: 'https://server.example/i.png' }, { src: 'file:///etc/passwd' }] })],
    ['icon behind a space', tool({ icons: [{ src: ' javascript:alert(1)' }] })],
    ['_meta array', tool({ _meta: [] })],
    ['unknown task support', tool({ execution: { taskSupport: 'maybe' } })],
    ['malformed x-mcp-header', tool({ inputSchema: { type: 'object', properties: { a: { type: 'string', 'x-mcp-header': 'a b' } } } })],
    ['65 KiB', tool({ description: 'x'.repeat(65 * 1024) })],
    ['64 KiB only in bytes', tool({ description: 'ä'.repeat(33 * 1024) })],
    ['too deep', tool({ deep: JSON.parse('['.repeat(65) + ']'.repeat(65)) as unknown })],
  ])('%s', (_name, bad) => {
    const cut = cutDefinitions(answer([tool({ name: 'before' }), bad, tool({ name: 'after' })]), 'tools');
    expect(cut.pieces.map((piece) => piece.identity)).toEqual(['before', 'after']);
    expect(cut.problems).toEqual([expect.objectContaining({ index: 1, reason: expect.stringMatching(/./) as string })]);
    expect(cut.problems[0]?.name?.length ?? 0).toBeLessThanOrEqual(128);
  });

  it.each(['{"__proto__":{},"name":"a","inputSchema":{"type":"object"}}', '{"name":"a","inputSchema":{"type":"object","maximum":1e400}}'])(
    '%s',
    (bad) => {
      const cut = cutDefinitions(`{"tools":[${bad},${JSON.stringify(tool())}]}`, 'tools');
      expect([cut.pieces.length, cut.problems.length]).toEqual([1, 1]);
    },
  );

  it('of equal bytes the first is kept, of different ones under one name none, nor of names alike but for case', () => {
    const cut = cutDefinitions(
      answer([tool(), tool(), tool({ name: 'a' }), tool({ name: 'a', description: 'other' }), tool({ name: 'Getit' }), tool({ name: 'getIt' })]),
      'tools',
    );
    expect(cut.pieces.map((piece) => piece.index)).toEqual([0]);
    expect(cut.problems.map((problem) => problem.index)).toEqual([1, 2, 3, 4, 5]);
  });

  it.each([['{'], ['1'], ['{}'], ['{"result":{"tools":{}}}'], ['{"error":{"code":1,"message":"x"}}'], ['{"result":{"prompts":[]}}']])(
    'an answer without a list is a fault: %s',
    (text) => {
      expect(cutDefinitions(text, 'tools')).toMatchObject({ pieces: [], problems: [], fault: expect.stringMatching(/./) as string });
    },
  );

  it('prompts, resources and templates go by their own members', () => {
    expect(
      names(
        answer(
          [
            { name: 'p', arguments: [{ name: 'a' }] },
            { name: 'q', arguments: {} },
          ],
          'prompts',
        ),
        'prompts',
      ),
    ).toEqual(['p']);
    expect(
      names(answer([{ uri: 'test://a', name: 'A B' }, { uri: 'test://b' }, { uri: 'x'.repeat(2049), name: 'c' }], 'resources'), 'resources'),
    ).toEqual(['test://a']);
    expect(names(answer([{ uriTemplate: 'test://{id}', name: 'T' }, { name: 'U' }], 'resourceTemplates'), 'resourceTemplates')).toEqual([
      'test://{id}',
    ]);
  });
});

describe('what is accepted does not make an official client throw the list away', () => {
  const odd = fc.constantFrom<unknown>(
    undefined,
    null,
    1,
    'x',
    true,
    [],
    {},
    [1],
    ['x'],
    { type: 'object' },
    { src: 'x' },
    [{ src: 'x' }],
    [{ name: 'a' }],
  );
  const record = (keys: string[], inner: fc.Arbitrary<unknown>): fc.Arbitrary<Record<string, unknown>> =>
    fc.record(Object.fromEntries(keys.map((key) => [key, inner])), { requiredKeys: [] });
  const annotations = fc.oneof(
    odd,
    record(
      ['title', 'readOnlyHint', 'destructiveHint', 'audience', 'priority', 'lastModified'],
      fc.oneof(
        odd,
        fc.constantFrom<unknown>(0.5, 2, ['user'], '2025-01-01T00:00:00Z', '2025-13-01T00:00:00Z', '2025-02-31T00:00:00Z', '2025-01-01T00:00Z'),
      ),
    ),
  );
  const schema = fc.oneof(
    fc.constant<unknown>({ type: 'object' }),
    odd,
    fc.record({ type: fc.constant('object'), properties: odd, required: odd }, { requiredKeys: ['type'] }),
  );
  const common = { name: fc.oneof({ weight: 9, arbitrary: fc.constant<unknown>('n') }, odd), annotations };
  const sometimes = fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, odd);
  const definition = (extra: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<unknown> =>
    fc
      .record({ ...common, title: sometimes, description: sometimes, icons: sometimes, _meta: sometimes, ...extra }, { requiredKeys: [] })
      .map((value) => JSON.parse(JSON.stringify(value)) as unknown);

  it.each([
    ['tools', definition({ inputSchema: schema, outputSchema: schema, execution: sometimes }), isSpecType.Tool],
    ['prompts', definition({ arguments: sometimes }), isSpecType.Prompt],
    ['resources', definition({ uri: fc.constant('a:b'), mimeType: sometimes, size: sometimes }), isSpecType.Resource],
    ['resourceTemplates', definition({ uriTemplate: fc.constant('a:{b}'), mimeType: sometimes }), isSpecType.ResourceTemplate],
  ] as const)('%s', (key, arbitrary, isSound) => {
    fc.assert(
      fc.property(arbitrary, (value) => {
        expect(definitionFault(key, value) !== undefined || isSound(value)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

it.each([
  ['2025-01-31T00:00:00Z', true],
  ['2024-02-29T23:59:59.5+01:00', true],
  ['2000-02-29T00:00:00Z', true],
  ['1900-02-29T00:00:00Z', false],
  ['2025-02-29T00:00:00Z', false],
  ['2025-04-31T00:00:00Z', false],
  ['2025-00-01T00:00:00Z', false],
  ['2025-01-00T00:00:00Z', false],
  ['2025-01-01T24:00:00Z', false],
  ['2025-01-01T00:00Z', false],
  ['2025-01-01', false],
])('lastModified %s is a time: %s', (lastModified, expected) => {
  const resource = { uri: 'a:b', name: 'a', annotations: { lastModified } };
  expect(definitionFault('resources', resource) === undefined).toBe(expected);
  expect(isSpecType.Resource(resource)).toBe(expected);
});

describe('the pin', () => {
  it('does not see key order, white space, escapes or _meta', () => {
    const a = cutDefinitions('{"tools":[{"name":"read","inputSchema":{"type":"object","title":"a"},"_meta":{"x":1}}]}', 'tools').pieces[0];
    const b = cutDefinitions('{"tools":[ { "inputSchema": {"title":"\\u0061", "type":"object"}, "name":"read" } ]}', 'tools').pieces[0];
    expect(a?.canonical).toBe('{"inputSchema":{"title":"a","type":"object"},"name":"read"}');
    expect(b?.canonical).toBe(a?.canonical);
  });
  it('is of the names as they are written, whatever another server sent before', () => {
    const offered = (properties: string): string => `{"tools":[{"name":"read","inputSchema":{"type":"object","properties":${properties}}}]}`;
    cutDefinitions(offered(String.raw`{"of a pin":{},"\\u00":{}}`), 'tools');
    const [piece] = cutDefinitions(offered(String.raw`{"of a pin":{},"\u0070ath":{}}`), 'tools').pieces;
    expect(piece?.canonical).toBe('{"inputSchema":{"properties":{"of a pin":{},"path":{}},"type":"object"},"name":"read"}');
  });
  it('sees every other change, also of a nested _meta', () => {
    const base = canonicalDefinition({ name: 'a', inputSchema: { _meta: 1 } });
    for (const other of [
      { name: 'a ', inputSchema: { _meta: 1 } },
      { name: 'a', inputSchema: { _meta: 2 } },
      { name: 'a', inputSchema: { _meta: 1 }, x: null },
    ]) {
      expect(canonicalDefinition(other)).not.toBe(base);
    }
  });
});
