import { describe, expect, it } from 'vitest';
import type { McpHeaders } from './check-headers.js';
import { classifyMessage } from './classify-message.js';
import { META_CLIENT_CAPABILITIES, META_CLIENT_INFO, META_LOG_LEVEL, META_PROTOCOL_VERSION, MODERN_VERSION } from './eras.js';

const envelope = { [META_PROTOCOL_VERSION]: MODERN_VERSION, [META_CLIENT_CAPABILITIES]: {} };
const call = (over: object = {}): object => ({ jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 'a__b', arguments: {} }, ...over });
const modernCall = (meta: object = envelope, params: object = {}): object => call({ params: { name: 'a__b', ...params, _meta: meta } });
const modernHeaders: McpHeaders = { protocolVersion: MODERN_VERSION, method: 'tools/call', name: 'a__b' };
const INIT = {
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: { roots: {} }, clientInfo: { name: 'c', version: '1' } },
};

describe('the era of a request is decided by its body', () => {
  it.each([
    ['a complete claim with all headers is modern', modernCall(), modernHeaders, { kind: 'request', era: 'modern', version: MODERN_VERSION, id: 7 }],
    [
      'a claim on initialize is modern',
      { ...call({ method: 'initialize' }), params: { _meta: envelope } },
      { protocolVersion: MODERN_VERSION, method: 'initialize' },
      { era: 'modern' },
    ],
    ['no claim and no header is legacy 2025-03-26', call(), {}, { kind: 'request', era: 'legacy', version: '2025-03-26' }],
    ['no claim and a legacy header is legacy', call(), { protocolVersion: '2025-11-25' }, { era: 'legacy', version: '2025-11-25' }],
    [
      'initialize is legacy and negotiates',
      INIT,
      {},
      { era: 'legacy', version: '2025-06-18', clientInfo: { name: 'c', version: '1' }, clientCapabilities: { roots: {} } },
    ],
    [
      'initialize for an unknown version gets the newest legacy one',
      { ...INIT, params: { protocolVersion: '1999-01-01' } },
      {},
      { version: '2025-11-25' },
    ],
    ['initialize ignores an outdated version header', INIT, { protocolVersion: '2024-10-07' }, { kind: 'request', era: 'legacy' }],
    ['a notification without id is legacy', { jsonrpc: '2.0', method: 'notifications/initialized' }, {}, { kind: 'notification', era: 'legacy' }],
    [
      'a notification under the modern header is modern',
      { jsonrpc: '2.0', method: 'notifications/x' },
      { protocolVersion: MODERN_VERSION },
      { kind: 'notification', era: 'modern' },
    ],
    [
      'a posted result is legacy',
      { jsonrpc: '2.0', id: 'a', result: {} },
      { protocolVersion: '2025-06-18' },
      { kind: 'response', era: 'legacy', id: 'a' },
    ],
    ['a posted error is legacy', { jsonrpc: '2.0', id: 1, error: { code: -1, message: 'no' } }, {}, { kind: 'response', era: 'legacy' }],
    ['an inherited-looking method is a request like any other', call({ method: 'constructor' }), {}, { kind: 'request', method: 'constructor' }],
  ])('%s', (_name, body, headers: McpHeaders, expected) => {
    expect(classifyMessage(body, headers)).toMatchObject(expected);
  });

  it('hands on progress token, client identity and capabilities', () => {
    const meta = {
      ...envelope,
      progressToken: 'p',
      [META_CLIENT_INFO]: { name: 'c', version: '1' },
      [META_CLIENT_CAPABILITIES]: { sampling: {} },
      [META_LOG_LEVEL]: 'info',
    };
    expect(classifyMessage(modernCall(meta), modernHeaders)).toMatchObject({
      progressToken: 'p',
      clientInfo: { name: 'c' },
      clientCapabilities: { sampling: {} },
    });
  });
});

describe('a modern request whose headers do not say what its body says is refused with -32020', () => {
  const uri = { jsonrpc: '2.0', id: 7, method: 'resources/read', params: { uri: 'test://ä', _meta: envelope } };
  it.each([
    ['version header of another revision', modernCall(), { ...modernHeaders, protocolVersion: '2025-11-25' }],
    ['version header missing', modernCall(), { ...modernHeaders, protocolVersion: undefined }],
    ['method header missing', modernCall(), { ...modernHeaders, method: undefined }],
    ['method header of another method', modernCall(), { ...modernHeaders, method: 'tools/list' }],
    ['method header in another case', modernCall(), { ...modernHeaders, method: 'Tools/Call' }],
    ['name header missing', modernCall(), { ...modernHeaders, name: undefined }],
    ['name header of another tool', modernCall(), { ...modernHeaders, name: 'a__c' }],
    ['name header in another case', modernCall(), { ...modernHeaders, name: 'A__b' }],
    ['sentinel of another name', modernCall(), { ...modernHeaders, name: '=?base64?YV9fYw==?=' }],
    ['sentinel that is not base64', modernCall(), { ...modernHeaders, name: '=?base64?!!?=' }],
    ['sentinel without padding', modernCall(), { ...modernHeaders, name: '=?base64?YV9fYg?=' }],
    ['sentinel with stray bits', modernCall(envelope, { name: 'a' }), { ...modernHeaders, name: '=?base64?YR==?=' }],
    ['plain URI that needs the sentinel', uri, { protocolVersion: MODERN_VERSION, method: 'resources/read', name: 'test://a' }],
    ['initialize of the legacy era under the modern header', INIT, { protocolVersion: MODERN_VERSION }],
  ])('%s', (_name, body, headers: McpHeaders) => {
    expect(classifyMessage(body, headers)).toMatchObject({ kind: 'refused', status: 400, code: -32020 });
  });

  it.each([
    ['plain name', modernCall(), modernHeaders],
    ['sentinel of the same name', modernCall(), { ...modernHeaders, name: '=?base64?YV9fYg==?=' }],
    ['sentinel of a URI', uri, { protocolVersion: MODERN_VERSION, method: 'resources/read', name: '=?base64?dGVzdDovL8Ok?=' }],
    ['no name in the body', { ...modernCall(), params: { _meta: envelope } }, { ...modernHeaders, name: undefined }],
    [
      'a method without a name',
      { ...call({ method: 'tools/list' }), params: { _meta: envelope } },
      { protocolVersion: MODERN_VERSION, method: 'tools/list' },
    ],
  ])('agreeing: %s', (_name, body, headers: McpHeaders) => {
    expect(classifyMessage(body, headers)).toMatchObject({ kind: 'request', era: 'modern' });
  });
});

describe('versions and envelopes', () => {
  const without = { [META_PROTOCOL_VERSION]: MODERN_VERSION };
  it.each([
    ['claim of a legacy version', modernCall({ ...envelope, [META_PROTOCOL_VERSION]: '2025-06-18' }), { protocolVersion: '2025-06-18' }, -32022],
    ['claim of a later version', modernCall({ ...envelope, [META_PROTOCOL_VERSION]: '2027-01-01' }), { protocolVersion: '2027-01-01' }, -32022],
    ['header of an unknown version', call(), { protocolVersion: '2023-01-01' }, -32022],
    ['notification under an unknown version', { jsonrpc: '2.0', method: 'x' }, { protocolVersion: '1' }, -32022],
    ['claim without capabilities', modernCall(without), modernHeaders, -32602],
    ['capabilities that are no object', modernCall({ ...envelope, [META_CLIENT_CAPABILITIES]: [] }), modernHeaders, -32602],
    ['claim that is no string', modernCall({ ...envelope, [META_PROTOCOL_VERSION]: 20260728 }), modernHeaders, -32602],
    ['client info without version', modernCall({ ...envelope, [META_CLIENT_INFO]: { name: 'c' } }), modernHeaders, -32602],
    ['log level nobody knows', modernCall({ ...envelope, [META_LOG_LEVEL]: 'loud' }), modernHeaders, -32602],
    ['modern header without a claim', call(), modernHeaders, -32602],
    ['response under the modern header', { jsonrpc: '2.0', id: 1, result: {} }, { protocolVersion: MODERN_VERSION }, -32600],
  ])('%s is refused', (_name, body, headers: McpHeaders, code) => {
    expect(classifyMessage(body, headers)).toMatchObject({ kind: 'refused', status: 400, code });
  });

  it('an unserved version is answered with those that are', () => {
    const answer = classifyMessage(modernCall({ ...envelope, [META_PROTOCOL_VERSION]: '2027-01-01' }), { protocolVersion: '2027-01-01' });
    expect(answer).toMatchObject({ data: { supported: [MODERN_VERSION], requested: '2027-01-01' } });
  });
});

describe('an id is served only if it comes back exactly as sent', () => {
  it.each([[null], [1.5], [Infinity], [2 ** 53], [true], [{}], [[]], ['x'.repeat(257)], ['x'.repeat(10_240)]])(
    '%j is refused and not echoed',
    (id) => {
      expect(classifyMessage(call({ id }), {})).toMatchObject({ kind: 'refused', code: -32600, id: null });
    },
  );
  it.each([[''], ['__proto__'], [0], [-1], [Number.MAX_SAFE_INTEGER], ['x'.repeat(256)]])('%j is kept', (id) => {
    expect(classifyMessage(call({ id }), {})).toMatchObject({ kind: 'request', id });
  });
});

describe('what is not JSON-RPC is refused with -32600', () => {
  it.each([
    ['string', 'x'],
    ['null', null],
    ['number', 1],
    ['empty object', {}],
    ['jsonrpc 1.0', call({ jsonrpc: '1.0' })],
    ['jsonrpc missing', { id: 1, method: 'x' }],
    ['jsonrpc as number', call({ jsonrpc: 2 })],
    ['empty method', call({ method: '' })],
    ['method as number', call({ method: 1 })],
    ['method with NUL', call({ method: 'tools/call\u0000' })],
    ['method with a lone surrogate', call({ method: 'a\ud800' })],
    ['endless method', call({ method: 'x'.repeat(129) })],
    ['array params', call({ params: [] })],
    ['string params', call({ params: 'x' })],
    ['null params', call({ params: null })],
    ['array _meta', call({ params: { _meta: [] } })],
    ['progress token as object', call({ params: { _meta: { progressToken: {} } } })],
    ['progress token out of range', call({ params: { _meta: { progressToken: 2 ** 53 } } })],
    ['extra member', call({ extra: 1 })],
    ['own __proto__ member', JSON.parse('{"jsonrpc":"2.0","id":7,"method":"x","__proto__":{}}')],
    ['result and method', call({ result: {} })],
    ['result and error', { jsonrpc: '2.0', id: 1, result: {}, error: { code: 1, message: '' } }],
    ['response without id', { jsonrpc: '2.0', result: {} }],
    ['error without code', { jsonrpc: '2.0', id: 1, error: { message: '' } }],
  ])('%s', (_name, body) => {
    expect(classifyMessage(body, {})).toMatchObject({ kind: 'refused', status: 400, code: -32600 });
  });

  it('the id is echoed when readable', () => {
    expect(classifyMessage(call({ params: [] }), {})).toMatchObject({ id: 7 });
  });
});

describe('batches exist only for 2025-03-26', () => {
  const notification = { jsonrpc: '2.0', method: 'notifications/x' };
  it('two requests and a notification are served in order', () => {
    const batch = classifyMessage([call({ id: 1 }), notification, call({ id: '1' })], {});
    expect(batch).toMatchObject({ kind: 'batch', messages: [{ id: 1 }, { kind: 'notification' }, { id: '1' }] });
  });
  it.each([
    ['empty', [], {}],
    ['a number inside', [1], {}],
    ['nested', [[call()]], {}],
    ['101 messages', Array.from({ length: 101 }, () => notification), {}],
    ['a modern element', [modernCall()], {}],
    ['a half-made claim', [call({ params: { _meta: { [META_PROTOCOL_VERSION]: 1 } } })], {}],
    ['initialize inside', [INIT], {}],
    ['one id twice', [call({ id: 1 }), call({ id: 1 })], {}],
    ['a later legacy version', [call()], { protocolVersion: '2025-06-18' }],
    ['the modern version', [call()], { protocolVersion: MODERN_VERSION }],
  ])('%s: refused whole', (_name, body, headers: McpHeaders) => {
    expect(classifyMessage(body, headers)).toMatchObject({ kind: 'refused', code: -32600 });
  });
  it('100 messages are accepted', () => {
    expect(
      classifyMessage(
        Array.from({ length: 100 }, (_, id) => call({ id })),
        { protocolVersion: '2025-03-26' },
      ),
    ).toMatchObject({ kind: 'batch' });
  });
});
