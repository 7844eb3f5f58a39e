import fc from 'fast-check';
import { rawRequest } from './raw-request.js';

const MESSAGES = [
  '{"jsonrpc":"2.0","id":1,"method":"ping"}',
  '{"jsonrpc":"2.0","id":"a","method":"tools/list","params":{}}',
  '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"m__run","arguments":{"a":[1,2,{"b":"\\u0041"}]}}}',
  '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}',
  '{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}',
  '[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","method":"notifications/initialized"}]',
  '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}',
  '{"jsonrpc":"2.0","id":1,"result":{}}',
  '{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"x://a"}}',
  '{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"m__greet"}}',
];
const HEADERS = ['Host', 'Authorization', 'Content-Type', 'Accept', 'Content-Length', 'Origin', 'Mcp-Session-Id', 'MCP-Protocol-Version', 'Mcp-Name'];
const VALUES = ['', '*', 'x', '2026-07-28', '2025-03-26', 'application/json', '-1', '0', '\x7f', 'chunked', '=?base64?eA==?='];
const PIECES = [
  '\r\n',
  '\r\n\r\n',
  '\0',
  '"',
  '{',
  '[',
  '}',
  ']',
  ',',
  ':',
  '\\',
  '\\u0000',
  '__proto__',
  '1e999',
  'null',
  '\x80',
  '\xff',
  'HTTP/1.0',
  '%00',
];

interface Mutation {
  readonly at: number;
  readonly kind: 'flip' | 'insert' | 'cut' | 'repeat';
  readonly bit: number;
  readonly piece: string;
}

const mutations: fc.Arbitrary<Mutation> = fc.record({
  at: fc.nat({ max: 1_000_000 }),
  kind: fc.constantFrom('flip', 'insert', 'cut', 'repeat'),
  bit: fc.nat({ max: 7 }),
  piece: fc.constantFrom(...PIECES),
});

/** A request whose framing is in order: one of the messages, perhaps changed, at one of the endpoints, a header perhaps taken away or replaced. */
const exchanges = (token: string) =>
  fc
    .record({
      body: fc.constantFrom(...MESSAGES),
      line: fc.constantFrom('POST /mcp HTTP/1.1', 'POST /servers/m/mcp HTTP/1.1', 'POST /servers/l/mcp HTTP/1.1', 'DELETE /mcp HTTP/1.1'),
      headers: fc.dictionary(fc.constantFrom(...HEADERS), fc.option(fc.constantFrom(...VALUES), { nil: undefined }), { maxKeys: 1 }),
      changes: fc.array(mutations, { maxLength: 2 }),
    })
    .map(({ body, changes, ...request }) => rawRequest({ token, ...request, body: changes.reduce(mutate, Buffer.from(body)) }));

/** Bytes that may reach a node's port: exchanges in order with a few changes anywhere, and what is no HTTP at all. */
export const hostileBytes = (token: string): fc.Arbitrary<Buffer> =>
  fc.oneof(
    {
      weight: 9,
      arbitrary: fc.tuple(exchanges(token), fc.array(mutations, { maxLength: 2 })).map(([bytes, changes]) => changes.reduce(mutate, bytes)),
    },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 512 }).map((bytes) => Buffer.from(bytes)) },
  );

const RANGE = 12;

function mutate(bytes: Buffer, { at, kind, bit, piece }: Mutation): Buffer {
  if (bytes.length === 0) return bytes;
  const place = at % bytes.length;
  const end = Math.min(place + RANGE, bytes.length);
  switch (kind) {
    case 'flip': {
      const flipped = Buffer.from(bytes);
      flipped[place] = (flipped[place] ?? 0) ^ (1 << bit);
      return flipped;
    }
    case 'insert':
      return Buffer.concat([bytes.subarray(0, place), Buffer.from(piece, 'latin1'), bytes.subarray(place)]);
    case 'cut':
      return Buffer.concat([bytes.subarray(0, place), bytes.subarray(end)]);
    case 'repeat':
      return Buffer.concat([bytes.subarray(0, end), bytes.subarray(place)]);
  }
}
