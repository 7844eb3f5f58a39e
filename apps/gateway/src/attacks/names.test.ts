import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startAttackStage, type AttackStage } from '../testing/attack-stage.js';
import { mcpRequest, type Asked } from '../testing/mcp-message.js';
import { bodyOf, statusOf } from '../testing/raw-exchange.js';

let stage: AttackStage;
beforeAll(async () => {
  stage = await startAttackStage();
});
afterAll(() => stage.stop());

const eras = ['legacy', 'modern'] as const;
const error = (answer: string): { status: number; code: number | undefined; message: string | undefined } => {
  const { error: fault } = JSON.parse(Buffer.from(bodyOf(answer), 'latin1').toString()) as { error?: { code: number; message: string } };
  return { status: statusOf(answer), code: fault?.code, message: fault?.message };
};

describe.each(eras)('a name is looked up exactly as it came (%s)', (era) => {
  test.each([
    'a:b:c',
    ':run',
    'm:',
    ':',
    '::',
    'run',
    'm：run',
    'm\u200b:run',
    'm%3Arun',
    'M:run',
    'm :run',
    'm: run',
    'm:run\n',
    'm:run\0',
    'm/x:run',
    '../m:run',
    '__proto__:x',
    'constructor:toString',
    'hasOwnProperty:x',
    '__proto__',
    'constructor',
    'toString',
    'm__RUN',
    'M__run',
    'm_run',
    'm___run',
    'm.run',
    ' m__run',
    'm__run ',
    'm__run\t',
    'm__rün',
    'm__ru\u0301n',
    'm__run\u200d',
    'm__run\u00ad',
    '\u202em__run',
    'м__run',
    'm__ruﬁ',
    'ｍ__run',
    'm--run',
    'm__*',
    '*',
    '',
  ])('A49, A50: %j is nothing', async (name) => {
    for (const path of ['/mcp', '/servers/l/mcp']) {
      if (path !== '/mcp' && name === 'run') continue;
      const since = stage.mark();
      const answer = await stage.send(mcpRequest('tools/call', { era, path, params: { name } }));
      expect(error(answer)).toEqual({ status: 200, code: -32602, message: `Unknown tool: ${name}` });
      await stage.unharmed(name, answer, since);
    }
  });

  test.each(['m__run', 'm:run'])('A49: %s is something', async (name) => {
    expect(bodyOf(await stage.send(mcpRequest('tools/call', { era, params: { name } })))).toContain('"result"');
  });

  test.each([0, 1, 64, 65, 128])('A51: a name of %i characters is said back', async (length) => {
    const name = 'n'.repeat(length);
    expect(error(await stage.send(mcpRequest('tools/call', { era, params: { name } })))).toEqual({
      status: 200,
      code: -32602,
      message: `Unknown tool: ${name}`,
    });
  });

  test.each([129, 2049, 9000])('A51: one of %i is not', async (length) => {
    const name = 'n'.repeat(length);
    const since = stage.mark();
    const answer = await stage.send(
      mcpRequest('tools/call', { era, params: { name }, headers: length > 9000 ? {} : { 'Mcp-Name': era === 'modern' ? name : undefined } }),
    );
    expect(error(answer)).toEqual({ status: 200, code: -32602, message: 'Unknown tool: ' });
    await stage.unharmed(name, answer, since);
  });

  test.each([undefined, null, 5, {}, [], true])('A49: a name that is %j is no name', async (name) => {
    const since = stage.mark();
    const answer = await stage.send(mcpRequest('tools/call', { era, params: { name } }));
    expect(error(answer)).toMatchObject({ status: 200, code: -32602 });
    await stage.unharmed('', answer, since);
  });

  test.each<[string, string]>([
    ['file', 'file:///etc/passwd'],
    ['two dots', 'x://a/../a'],
    ['an escape', 'x://%61'],
    ['a fragment', 'x://a#'],
    ['a query', 'x://a?x='],
    ['UNC', '\\\\host\\share'],
    ['metadata', 'http://169.254.169.254/latest'],
    ['capitals', 'X://A'],
    ['a long one', `x://${'a'.repeat(9000)}`],
  ])('A85: a resource of %s is nothing', async (_what, uri) => {
    const since = stage.mark();
    const answer = await stage.send(mcpRequest('resources/read', { era, params: { uri } }));
    expect(error(answer)).toMatchObject({ status: 200, code: era === 'legacy' ? -32002 : -32602 });
    await stage.unharmed(uri, answer, since);
  });
});

describe('what a modern client says twice must agree', () => {
  const modern = (asked: Asked) => mcpRequest('tools/call', { era: 'modern', params: { name: 'm__run' }, ...asked });
  const version = 'io.modelcontextprotocol/protocolVersion';
  const capabilities = 'io.modelcontextprotocol/clientCapabilities';
  const sentinel = (text: string): string => `=?base64?${Buffer.from(text).toString('base64')}?=`;

  test.each<[string, number, Asked]>([
    ['A52: another Mcp-Name', -32020, { headers: { 'Mcp-Name': 'm__walk' } }],
    ['A52: no Mcp-Name', -32020, { headers: { 'Mcp-Name': undefined } }],
    ['A52: Mcp-Name in capitals', -32020, { headers: { 'Mcp-Name': 'M__RUN' } }],
    ['A52: an encoded name of another tool', -32020, { headers: { 'Mcp-Name': sentinel('m__walk') } }],
    ['A52: an encoding that is not canonical', -32020, { headers: { 'Mcp-Name': sentinel('m__run').replace('?=', '=?=') } }],
    ['A52: an encoding that is none', -32020, { headers: { 'Mcp-Name': '=?base64?%%%?=' } }],
    ['A52: another Mcp-Method', -32020, { headers: { 'Mcp-Method': 'tools/list' } }],
    ['A52: no Mcp-Method', -32020, { headers: { 'Mcp-Method': undefined } }],
    ['A52: a version header that differs from the body', -32020, { headers: { 'MCP-Protocol-Version': '2025-06-18' } }],
    ['A52: no version header', -32020, { headers: { 'MCP-Protocol-Version': undefined } }],
    [
      'A52: a version nobody serves',
      -32022,
      { headers: { 'MCP-Protocol-Version': '2031-01-01' }, params: { name: 'm__run', _meta: { [version]: '2031-01-01' } } },
    ],
    [
      'A52: a legacy version in the envelope',
      -32022,
      { headers: { 'MCP-Protocol-Version': '2025-06-18' }, params: { name: 'm__run', _meta: { [version]: '2025-06-18' } } },
    ],
    [
      'A52: a version below the floor',
      -32022,
      { headers: { 'MCP-Protocol-Version': '2024-01-01' }, params: { name: 'm__run', _meta: { [version]: '2024-01-01' } } },
    ],
    ['A53: no version', -32602, { params: { name: 'm__run', _meta: { [version]: undefined } } }],
    ['A53: a version that is a number', -32602, { params: { name: 'm__run', _meta: { [version]: 20_260_728 } } }],
    ['A53: no capabilities', -32602, { params: { name: 'm__run', _meta: { [capabilities]: undefined } } }],
    ['A53: capabilities that are a list', -32602, { params: { name: 'm__run', _meta: { [capabilities]: [] } } }],
  ])('%s', async (_what, code, asked) => {
    const since = stage.mark();
    const answer = await stage.send(modern(asked));
    expect(error(answer)).toMatchObject({ status: 400, code });
    await stage.unharmed('', answer, since);
  });

  test('A52: an encoded name of the same tool agrees', async () => {
    expect(bodyOf(await stage.send(modern({ headers: { 'Mcp-Name': sentinel('m__run') } })))).toContain('"result"');
  });

  test('A53: _meta beyond the size of a body is too large', async () => {
    const since = stage.mark();
    const answer = await stage.send(modern({ params: { name: 'm__run', _meta: { x: 'y'.repeat(70_000) } } }));
    expect(statusOf(answer)).toBe(413);
    await stage.unharmed('y'.repeat(70_000), answer, since);
  });

  test('A53: keys of other vendors pass, those of the agent’s hop do not', async () => {
    let meta: Record<string, unknown> = {};
    const answer = stage.upstream.answer;
    stage.upstream.answer = (exchange) => {
      meta = exchange.message.params?.['_meta'] as Record<string, unknown>;
      answer(exchange);
    };
    const own = { 'com.example/x': { a: [1] }, 'io.modelcontextprotocol/clientInfo': { name: 'secret-client', version: '1' } };
    expect(bodyOf(await stage.send(modern({ params: { name: 'm__run', _meta: own } })))).toContain('"result"');
    expect(meta['com.example/x']).toEqual({ a: [1] });
    expect(JSON.stringify(meta)).not.toContain('secret-client');
    stage.upstream.answer = answer;
  });
});
