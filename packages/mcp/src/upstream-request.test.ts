import fc from 'fast-check';
import { expect, it } from 'vitest';
import { classifyMessage } from './classify-message.js';
import { META_CLIENT_CAPABILITIES, META_CLIENT_INFO, META_LOG_LEVEL, META_PROTOCOL_VERSION, MODERN_VERSION } from './eras.js';
import { upstreamHeaders, upstreamMeta } from './upstream-request.js';

const envelope = { clientInfo: { name: 'portcullis', version: '1' }, clientCapabilities: {} };

it('what the agent says of itself is not forwarded, what it says to the server is', () => {
  const meta = {
    [META_PROTOCOL_VERSION]: '1',
    [META_CLIENT_INFO]: {},
    [META_CLIENT_CAPABILITIES]: { sampling: {} },
    [META_LOG_LEVEL]: 'debug',
    traceparent: 't',
  };
  expect(upstreamMeta(meta)).toEqual({ traceparent: 't' });
  expect(upstreamMeta({ [META_PROTOCOL_VERSION]: '1' })).toBeUndefined();
  expect(upstreamMeta(undefined)).toBeUndefined();
  expect(upstreamMeta(meta, envelope)).toEqual({
    traceparent: 't',
    [META_PROTOCOL_VERSION]: MODERN_VERSION,
    [META_CLIENT_INFO]: envelope.clientInfo,
    [META_CLIENT_CAPABILITIES]: {},
  });
  expect(meta[META_LOG_LEVEL]).toBe('debug');
});

it('annotated arguments are mirrored', () => {
  const declarations = [{ path: ['region'], headerName: 'Region', type: 'string' as const }];
  expect(upstreamHeaders('tools/call', { name: 'a', arguments: { region: 'ä' } }, declarations)).toEqual([
    ['MCP-Protocol-Version', MODERN_VERSION],
    ['Mcp-Method', 'tools/call'],
    ['Mcp-Name', 'a'],
    ['Mcp-Param-Region', '=?base64?w6Q=?='],
  ]);
  expect(upstreamHeaders('tools/list', undefined)).toHaveLength(2);
});

it('a request built for a modern server is one that a modern server accepts', () => {
  const target = fc.constantFrom(['tools/call', 'name'], ['prompts/get', 'name'], ['resources/read', 'uri'], ['tools/list', 'cursor']);
  fc.assert(
    fc.property(target, fc.string({ unit: 'grapheme' }), ([method = '', member = ''], name) => {
      const params = { [member]: name, _meta: upstreamMeta(undefined, envelope) };
      const sent = new Map(upstreamHeaders(method, params));
      const headers = { protocolVersion: sent.get('MCP-Protocol-Version'), method: sent.get('Mcp-Method'), name: sent.get('Mcp-Name') };
      expect(classifyMessage({ jsonrpc: '2.0', id: 1, method, params }, headers)).toMatchObject({ kind: 'request', era: 'modern' });
    }),
  );
});
