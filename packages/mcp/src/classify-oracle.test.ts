import { classifyInboundRequest } from '@modelcontextprotocol/server';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { McpHeaders } from './check-headers.js';
import { classifyMessage, type Classified } from './classify-message.js';
import { META_CLIENT_CAPABILITIES, META_CLIENT_INFO, META_PROTOCOL_VERSION, MODERN_VERSION } from './eras.js';

/*
 * The SDK's classifier is the oracle. We differ on purpose, and only here:
 *  1. bounds: ids over 256 characters, methods over 128 or with control characters (not generated below);
 *  2. later rungs that the SDK runs after classification are part of ours: unserved claim (-32022), missing headers and
 *     Mcp-Name (-32020); an unserved claim of a notification comes before its Mcp-Method;
 *  3. a version header that is no served revision is refused (-32022); the SDK leaves it to its legacy transport, and takes
 *     any text that sorts after 2026-07-28 for the modern era;
 *  4. a response under the modern header is refused (-32600), the modern era has none; so is one without an id;
 *  5. batches: only 2025-03-26, at most 100, no initialize, no id twice.
 */
const version = fc.constantFrom('2026-07-28', '2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05');
const claim = fc.oneof({ weight: 4, arbitrary: version }, { weight: 1, arbitrary: fc.constantFrom<unknown>(1, null, {}, '2027-01-01') });
const meta = fc.oneof(
  fc.record(
    { [META_PROTOCOL_VERSION]: claim, [META_CLIENT_CAPABILITIES]: fc.constantFrom<unknown>({}, { roots: {} }, [], 'x') },
    { requiredKeys: [] },
  ),
  fc.record({
    [META_PROTOCOL_VERSION]: claim,
    [META_CLIENT_CAPABILITIES]: fc.constant({}),
    [META_CLIENT_INFO]: fc.constantFrom<unknown>({ name: 'c', version: '1' }, { name: 'c' }, 1),
  }),
  fc.record({ progressToken: fc.constantFrom<unknown>('p', 1, 1.5, {}, null) }),
  fc.constantFrom<unknown>([], 'x', null),
);
const params = fc.oneof(
  fc.record({ name: fc.constantFrom<unknown>('a__b', 1), protocolVersion: version, _meta: meta }, { requiredKeys: [] }),
  fc.constantFrom<unknown>([], 'x', null, {}),
);
const method = fc.constantFrom<unknown>('initialize', 'tools/call', 'tools/list', 'notifications/initialized', 'constructor', 1);
const id = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom<unknown>(0, 1, 'a', '', '__proto__') },
  fc.constantFrom<unknown>(null, 1.5, true, {}, 2 ** 60),
);
const jsonrpc = fc.oneof({ weight: 9, arbitrary: fc.constant<unknown>('2.0') }, fc.constantFrom<unknown>('1.0', 2));
const message = fc.oneof(
  { weight: 6, arbitrary: fc.record({ jsonrpc, id, method, params }, { requiredKeys: ['jsonrpc', 'method'] }) },
  {
    weight: 1,
    arbitrary: fc.record(
      { jsonrpc, id, result: fc.constantFrom<unknown>({}, 1), error: fc.constantFrom<unknown>({ code: 1, message: 'm' }, {}), method },
      { requiredKeys: [] },
    ),
  },
  { weight: 1, arbitrary: fc.record({ jsonrpc, id, method, params, extra: fc.constant(1) }) },
  { weight: 1, arbitrary: fc.constantFrom<unknown>(null, 1, 'x', {}) },
);
const headers = fc.record(
  { protocolVersion: version, method: fc.constantFrom('tools/call', 'initialize', 'tools/list'), name: fc.constantFrom('a__b', 'other') },
  { requiredKeys: [] },
);

function ours(classified: Classified): string {
  if (classified.kind === 'refused') return `refused ${String(classified.code)}`;
  return classified.era === 'legacy' ? 'legacy' : `modern ${classified.kind}`;
}

function theirs(body: unknown, sent: McpHeaders): string {
  const outcome = classifyInboundRequest({
    httpMethod: 'POST',
    body,
    ...(sent.protocolVersion !== undefined && { protocolVersionHeader: sent.protocolVersion }),
    ...(sent.method !== undefined && { mcpMethodHeader: sent.method }),
    ...(sent.name !== undefined && { mcpNameHeader: sent.name }),
  });
  if (outcome.kind === 'reject') return `refused ${String(outcome.code)}`;
  if (outcome.kind === 'legacy') return outcome.reason === 'response' && sent.protocolVersion === MODERN_VERSION ? 'refused -32600' : 'legacy';
  if (outcome.classification.revision !== MODERN_VERSION) return 'refused -32022';
  return `modern ${outcome.messageKind}`;
}

it('a single message is classified as the SDK classifies it', () => {
  fc.assert(
    fc.property(message, headers, (body, sent) => {
      const complete = { ...sent, ...(isCall(body) && { name: typeof body.params?.['name'] === 'string' ? body.params['name'] : 'x' }) };
      const verdict = classifyMessage(body, complete);
      // Rung 2: what only a missing header refuses is out of the oracle's sight.
      if (verdict.kind === 'refused' && verdict.message.endsWith('missing') && verdict.code === -32020) return;
      const expected = theirs(body, complete);
      if (verdict.kind === 'refused' && verdict.code === -32022 && verdict.id === null && expected === 'refused -32020') return;
      // Difference 4: the SDK lets an error response go without an id.
      if (expected === 'legacy' && verdict.kind === 'refused' && isResponseWithoutId(body)) return;
      expect(ours(verdict)).toBe(expected);
    }),
    { numRuns: 5000 },
  );
});

it('a batch the SDK refuses is refused', () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 4 }), (body) => {
      const verdict = ours(classifyMessage(body, {}));
      expect(theirs(body, {}) === 'legacy' ? ['legacy', 'refused -32600'] : ['refused -32600']).toContain(verdict);
    }),
    { numRuns: 1000 },
  );
});

function isCall(body: unknown): body is { params?: Record<string, unknown> } {
  return typeof body === 'object' && body !== null && 'method' in body;
}

function isResponseWithoutId(body: unknown): boolean {
  return typeof body === 'object' && body !== null && !('id' in body) && 'error' in body;
}
