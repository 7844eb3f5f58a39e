import { isSpecType } from '@modelcontextprotocol/server';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MODERN_VERSION } from './eras.js';
import {
  discoverResult,
  emptyResult,
  errorMessage,
  initializeResult,
  listFrame,
  notificationMessage,
  requestMessage,
  resultMessage,
  toolErrorResult,
} from './messages.js';

const serverInfo = { name: 'portcullis', version: '1' };
const INFO = { 'io.modelcontextprotocol/serverInfo': serverInfo };

describe('messages', () => {
  it('an id comes back exactly', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.maxSafeInteger()), (id) => {
        expect(JSON.parse(resultMessage(id, '{}'))).toEqual({ jsonrpc: '2.0', id: Object.is(id, -0) ? 0 : id, result: {} });
        expect(JSON.parse(errorMessage(id, -1, 'm'))).toMatchObject({ error: { code: -1, message: 'm' } });
      }),
    );
  });

  it('an error has data only when given, and may have no id', () => {
    expect(errorMessage(null, -32700, 'm')).toBe('{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"m"}}');
    expect(errorMessage('a', -32603, 'm', { reason: 'x' })).toBe(
      '{"jsonrpc":"2.0","id":"a","error":{"code":-32603,"message":"m","data":{"reason":"x"}}}',
    );
  });

  it('requests and notifications', () => {
    expect(requestMessage(1, 'ping')).toBe('{"jsonrpc":"2.0","id":1,"method":"ping"}');
    expect(notificationMessage('n', { a: 1 })).toBe('{"jsonrpc":"2.0","method":"n","params":{"a":1}}');
  });
});

describe('handshakes', () => {
  it('initialize', () => {
    const result: unknown = JSON.parse(initializeResult({ protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo }));
    expect(result).toEqual({ protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo });
    expect(isSpecType.InitializeResult(result)).toBe(true);
  });
  it('discover is private and says who answers', () => {
    const result: unknown = JSON.parse(discoverResult({ capabilities: { tools: {} }, serverInfo, instructions: 'i', ttlMs: 5 }));
    expect(result).toEqual({
      supportedVersions: [MODERN_VERSION],
      capabilities: { tools: {} },
      instructions: 'i',
      resultType: 'complete',
      ttlMs: 5,
      cacheScope: 'private',
      _meta: INFO,
    });
    expect(isSpecType.DiscoverResult(result)).toBe(true);
  });
});

describe('lists', () => {
  const listed = (...[key, definitions, options]: [Parameters<typeof listFrame>[0], readonly string[], Parameters<typeof listFrame>[1]]): string => {
    const { head, tail } = listFrame(key, options);
    return head + definitions.join(',') + tail;
  };
  const pieces = ['{ "name":"a","inputSchema":{"type":"object"} }', '{"name":"b","inputSchema":{"type":"object"}}'];
  it('hold the pieces byte for byte between head and tail', () => {
    const legacy = { era: 'legacy', serverInfo } as const;
    expect(listed('tools', pieces, legacy)).toBe(`{"tools":[${pieces.join(',')}]}`);
    expect(listed('prompts', [], { ...legacy, nextCursor: 'a"b' })).toBe('{"prompts":[],"nextCursor":"a\\"b"}');
  });
  it('of the modern era are private to the agent and complete', () => {
    const result: unknown = JSON.parse(listed('tools', pieces, { era: 'modern', serverInfo, nextCursor: '', ttlMs: 1000 }));
    expect(result).toMatchObject({ nextCursor: '', resultType: 'complete', ttlMs: 1000, cacheScope: 'private', _meta: INFO });
    expect(isSpecType.ListToolsResult(result)).toBe(true);
  });
});

it('empty results and tool errors of both eras', () => {
  expect(emptyResult({ era: 'legacy', serverInfo })).toBe('{}');
  expect(JSON.parse(emptyResult({ era: 'modern', serverInfo }))).toEqual({ resultType: 'complete', _meta: INFO });
  expect(JSON.parse(toolErrorResult('no', { era: 'legacy', serverInfo }))).toEqual({ content: [{ type: 'text', text: 'no' }], isError: true });
  expect(JSON.parse(toolErrorResult('no', { era: 'modern', serverInfo }))).toMatchObject({ isError: true, resultType: 'complete', _meta: INFO });
});
