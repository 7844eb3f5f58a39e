import { describe, expect, it } from 'vitest';
import { clampTtl, legacyError, legacyResult, modernError, modernResult, resultTypeOf, toLegacyToolJson } from './downgrade.js';
import type { JsonObject } from './json-value.js';

const serverInfo = { name: 'portcullis', version: '1' };
const INFO = 'io.modelcontextprotocol/serverInfo';
const legacyTool = (json: string): string => toLegacyToolJson(json, JSON.parse(json) as JsonObject);

describe('a legacy client', () => {
  it('is not shown an output schema that would make it refuse the list', () => {
    expect(legacyTool('{"name":"a", "outputSchema":{"type":"array"}, "x":1.0}')).toBe('{"name":"a","x":1.0}');
    expect(legacyTool('{"outputSchema":{"type":"object","properties":{"a":true}}}')).toBe('{}');
  });
  it('gets every other tool byte for byte', () => {
    for (const json of ['{ "name":"a" }', '{"name":"a", "outputSchema" : {"type":"object"}}']) expect(legacyTool(json)).toBe(json);
  });
  it('gets results without modern members', () => {
    const result = { content: [], resultType: 'complete', ttlMs: 1, cacheScope: 'public', _meta: { [INFO]: serverInfo, 'x/y': 1 } };
    expect(legacyResult(result)).toEqual({ content: [], _meta: { 'x/y': 1 } });
    expect(legacyResult({ content: [], _meta: { [INFO]: serverInfo } })).toEqual({ content: [] });
  });
  it('gets the very same object when nothing changes', () => {
    const result = { content: [{ type: 'text', text: 'a' }], structuredContent: {}, _meta: { a: 1 } };
    expect(legacyResult(result)).toBe(result);
  });
  it('gets structured content that is no object as text, unless there is text', () => {
    expect(legacyResult({ structuredContent: [1], content: [] })).toEqual({ content: [{ type: 'text', text: '[1]' }] });
    expect(legacyResult({ structuredContent: null, content: [{ type: 'text', text: 'a' }] })).toEqual({ content: [{ type: 'text', text: 'a' }] });
  });
  it('hears -32002 of a missing resource, and nothing of the hop behind', () => {
    const missing = { code: -32602, message: 'm', data: { uri: 'a:b' } };
    expect(legacyError(missing, 'resources/read')).toEqual({ ...missing, code: -32002 });
    expect(legacyError(missing, 'tools/call')).toBe(missing);
    expect(legacyError({ code: -32022, message: 'm', data: { supported: [] } }, 'tools/call')).toMatchObject({ code: -32603 });
  });
});

describe('a modern client', () => {
  it('gets a complete result with our identity and our cache hint, never that of the server', () => {
    const result = { content: [], ttlMs: 9e12, cacheScope: 'public', _meta: { [INFO]: { name: 'upstream', version: '9' }, a: 1 } };
    expect(modernResult(result, serverInfo)).toEqual({ content: [], resultType: 'complete', _meta: { [INFO]: serverInfo, a: 1 } });
    expect(modernResult({ contents: [] }, serverInfo, { ttlMs: -1 })).toEqual({
      contents: [],
      resultType: 'complete',
      ttlMs: 0,
      cacheScope: 'private',
      _meta: { [INFO]: serverInfo },
    });
  });
  it('keeps a result type the server gave', () => {
    expect(modernResult({ resultType: 'input_required' }, serverInfo)).toMatchObject({ resultType: 'input_required' });
    expect([resultTypeOf({}), resultTypeOf({ resultType: 'task' }), resultTypeOf({ resultType: 1 })]).toEqual(['complete', 'task', undefined]);
  });
  it.each([
    [-32002, -32602],
    [-32042, -32603],
    [-32020, -32603],
    [-32021, -32603],
    [-32022, -32603],
    [-32602, -32602],
    [-1, -1],
  ])('error %i becomes %i', (code, expected) => {
    expect(modernError({ code, message: 'm' }).code).toBe(expected);
  });
});

it.each([
  [-1, 0],
  [1e12, 86_400_000],
  [1.5, 1],
  [NaN, 0],
  ['5', 0],
  [undefined, 0],
])('a lifetime of %s is taken as %i', (given, expected) => {
  expect(clampTtl(given)).toBe(expected);
});
