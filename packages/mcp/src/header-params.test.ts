import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { headerParamsOf, mismatchedHeaderParam, scanHeaderParams, type HeaderDeclaration } from './header-params.js';
import { decodeHeaderValue, encodeHeaderValue } from './header-values.js';

const schema = (property: object): object => ({ type: 'object', properties: { p: property } });
const annotated = { type: 'string', 'x-mcp-header': 'Region' };

describe('header values', () => {
  it.each([
    ['github__create_issue', 'github__create_issue'],
    ['a:b c', 'a:b c'],
    ['', ''],
    [' padded', '=?base64?IHBhZGRlZA==?='],
    ['ä', '=?base64?w6Q=?='],
    ['a\r\nX-Evil: 1', '=?base64?YQ0KWC1FdmlsOiAx?='],
    ['=?base64?YQ==?=', '=?base64?PT9iYXNlNjQ/WVE9PT89?='],
  ])('%j is sent as %j', (value, header) => {
    expect(encodeHeaderValue(value)).toBe(header);
    expect(decodeHeaderValue(header)).toBe(value);
  });

  it('any text comes back, in printable ASCII, in exactly one encoded spelling', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (value) => {
        const header = encodeHeaderValue(value);
        expect(header).toMatch(/^[\x20-\x7e]*$/);
        expect(decodeHeaderValue(header)).toBe(value);
      }),
    );
  });

  it.each(['=?base64?YQ?=', '=?base64?YR==?=', '=?base64?Y Q==?=', '=?base64?_w==?=', '=?base64?/w==?=', '=?base64?===?='])(
    '%s is refused',
    (header) => {
      expect(decodeHeaderValue(header)).toBeUndefined();
    },
  );

  it.each(['=?base64?=', '=?BASE64?YQ==?=', '=?base64?YQ=='])('%s is no sentinel and stands for itself', (header) => {
    expect(decodeHeaderValue(header)).toBe(header);
  });
});

describe('x-mcp-header declarations', () => {
  it('nested properties are found with their path', () => {
    const nested = schema({ type: 'object', properties: { q: { type: 'integer', 'x-mcp-header': 'Q' } } });
    expect(scanHeaderParams(nested)).toEqual({ ok: true, declarations: [{ path: ['p', 'q'], headerName: 'Q', type: 'integer' }] });
  });

  it('a schema without any is fine, and so is the word in data or as a property name', () => {
    const data = schema({ type: 'string', default: { 'x-mcp-header': 1 }, enum: [{ 'x-mcp-header': 1 }] });
    expect(scanHeaderParams(data)).toEqual({ ok: true, declarations: [] });
    expect(scanHeaderParams({ properties: { 'x-mcp-header': { type: 'string' } } })).toEqual({ ok: true, declarations: [] });
  });

  it.each([
    ['empty', schema({ ...annotated, 'x-mcp-header': '' })],
    ['line break', schema({ ...annotated, 'x-mcp-header': 'a\r\nb' })],
    ['space', schema({ ...annotated, 'x-mcp-header': 'a b' })],
    ['colon', schema({ ...annotated, 'x-mcp-header': 'a:b' })],
    ['no text', schema({ ...annotated, 'x-mcp-header': 1 })],
    ['on an array', schema({ ...annotated, type: 'array' })],
    ['on an object', schema({ ...annotated, type: 'object' })],
    ['on no type', schema({ 'x-mcp-header': 'A' })],
    ['on the root', { type: 'string', 'x-mcp-header': 'A' }],
    ['Authorization', schema({ ...annotated, 'x-mcp-header': 'Authorization' })],
    ['Host', schema({ ...annotated, 'x-mcp-header': 'HOST' })],
    ['twice ignoring case', { properties: { a: annotated, b: { type: 'string', 'x-mcp-header': 'REGION' } } }],
    ['under items', schema({ type: 'array', items: annotated })],
    ['under oneOf', { oneOf: [schema(annotated)] }],
    ['under $defs', { $defs: { d: annotated } }],
    ['under an unknown keyword', { vendor: { deep: [annotated] } }],
  ])('%s: the tool is refused', (_name, inputSchema) => {
    expect(scanHeaderParams(inputSchema)).toMatchObject({ ok: false });
  });
});

describe('mirrored arguments', () => {
  const declarations: HeaderDeclaration[] = [
    { path: ['s'], headerName: 'S', type: 'string' },
    { path: ['o', 'n'], headerName: 'N', type: 'integer' },
    { path: ['b'], headerName: 'B', type: 'boolean' },
  ];
  it('are encoded, and absent ones send nothing', () => {
    expect(headerParamsOf(declarations, { s: 'ä', o: { n: 42 }, b: false })).toEqual([
      ['Mcp-Param-S', '=?base64?w6Q=?='],
      ['Mcp-Param-N', '42'],
      ['Mcp-Param-B', 'false'],
    ]);
    expect(headerParamsOf(declarations, { s: null, o: [], b: {} })).toEqual([]);
    expect(headerParamsOf([{ path: ['constructor', 'name'], headerName: 'C', type: 'string' }], {})).toEqual([]);
  });
  it.each([
    [{ s: 'a' }, { 'mcp-param-s': 'a' }, undefined],
    [{ o: { n: 42 } }, { 'mcp-param-n': '42.0' }, undefined],
    [{}, { 'mcp-param-s': 'a' }, undefined],
    [{ s: 'a' }, {}, 'Mcp-Param-S'],
    [{ s: 'a' }, { 'mcp-param-s': 'b' }, 'Mcp-Param-S'],
    [{ s: 'a' }, { 'mcp-param-s': '=?base64?!?=' }, 'Mcp-Param-S'],
    [{ o: { n: 42 } }, { 'mcp-param-n': '0x2a' }, 'Mcp-Param-N'],
  ])('%j with headers %j: mismatch %s', (args, headers: Record<string, string>, expected) => {
    expect(mismatchedHeaderParam(declarations, args, (name) => headers[name])).toBe(expected);
  });
});
