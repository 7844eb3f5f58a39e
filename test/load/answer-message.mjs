import { echoText } from './echo-text.mjs';

const VERSIONS = ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25', '2026-07-28'];
const MODERN = '2026-07-28';
const identity = { name: 'fake-server', version: '1.0.0' };
const lists = new Map();

/**
 * The fake server's answer to one posted message as `{ status, body }`, in the era of its version header. It keeps no session. `tools/call` takes
 * `{ token, size, pad }` and answers one text of `size` characters (100 when not told) that starts with the token; with `events` it answers a stream
 * of so many messages of that size, each of them progress, and then 100 characters. `toolCount` tools are listed.
 */
export function answerMessage(text, version, toolCount) {
  let message;
  try {
    message = JSON.parse(text);
  } catch {
    return { status: 400, body: failure(null, -32700, 'Parse error') };
  }
  const { id, method, params } = message;
  if (id === undefined) return { status: 202, body: '' };
  const isModern = version === MODERN;
  const tail = isModern ? ',"resultType":"complete"}' : '}';
  if (method === 'tools/call') return params?.arguments?.events > 0 ? stream(id, params, tail) : call(id, params?.arguments ?? {}, tail);
  const hints = isModern ? ',"ttlMs":0,"cacheScope":"private"' : '';
  if (method === 'tools/list') return success(id, `{"tools":${listOf(toolCount)}${hints}${tail}`);
  if (method === 'ping' && !isModern) return success(id, '{}');
  if (method === 'initialize') return success(id, JSON.stringify(greeting(params)));
  if (method === 'server/discover' && isModern) return success(id, JSON.stringify(discovered));
  return { status: isModern ? 404 : 200, body: failure(id, -32601, 'Method not found') };
}

const discovered = {
  supportedVersions: VERSIONS,
  capabilities: { tools: {} },
  resultType: 'complete',
  ttlMs: 60_000,
  cacheScope: 'private',
  _meta: { 'io.modelcontextprotocol/serverInfo': identity },
};

const greeting = (params) => ({
  protocolVersion: VERSIONS.includes(params?.protocolVersion) && params.protocolVersion !== MODERN ? params.protocolVersion : '2025-11-25',
  capabilities: { tools: {} },
  serverInfo: identity,
});

function call(id, { token, size = 100 }, tail) {
  if (typeof token !== 'string') return { status: 200, body: failure(id, -32602, 'token is required') };
  return success(id, `{"content":[{"type":"text","text":${JSON.stringify(echoText(token, size))}}]${tail}`);
}

function stream(id, { arguments: { token, size = 100, events }, _meta }, tail) {
  const message = JSON.stringify(echoText(token, size));
  const progressToken = JSON.stringify(_meta?.progressToken ?? null);
  const progress = (step) => `{"progressToken":${progressToken},"progress":${step},"message":${message}}`;
  const told = Array.from({ length: events }, (_, step) => `{"jsonrpc":"2.0","method":"notifications/progress","params":${progress(step + 1)}}`);
  return { status: 200, events: [...told, call(id, { token }, tail).body] };
}

const success = (id, result) => ({ status: 200, body: `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${result}}` });
const failure = (id, code, message) => JSON.stringify({ jsonrpc: '2.0', id: id ?? null, error: { code, message } });

function listOf(count) {
  if (!lists.has(count)) lists.set(count, JSON.stringify(Array.from({ length: count }, (_, index) => toolNumber(index + 1, count))));
  return lists.get(count);
}

const toolNumber = (number, count) => ({
  name: number === 1 ? 'echo' : `echo_${number}`,
  description: `Returns a text of the asked size that starts with the token. Fake tool ${number} of ${count}.`,
  inputSchema: {
    type: 'object',
    properties: {
      token: { type: 'string', description: 'Comes back at the start of the text' },
      size: { type: 'integer', minimum: 0, description: 'Length of the text' },
      pad: { type: 'string', description: 'Ignored; makes the request larger' },
    },
    required: ['token'],
  },
});
