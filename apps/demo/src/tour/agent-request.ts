import { z } from 'zod';
import { received, sent } from './narrate.js';
import { reach } from './stack.js';

const revision = '2026-07-28';

const Message = z.object({
  id: z.unknown(),
  result: z
    .object({
      tools: z.array(z.object({ name: z.string() })).optional(),
      isError: z.boolean().optional(),
    })
    .loose()
    .optional(),
  error: z.object({ code: z.number(), message: z.string() }).loose().optional(),
});

/** An answer as the agent gets it: `raw` is every byte of the body, `message` the JSON-RPC response in it. */
export interface AgentAnswer {
  status: number;
  contentType: string;
  raw: string;
  message: z.infer<typeof Message>;
}

/** Who asks, and where. */
export interface AgentAt {
  slug: string;
  key: string;
  gatewayUrl: string;
}

const endpoint = (gatewayUrl: string): string => (new URL(gatewayUrl).pathname.endsWith('/mcp') ? gatewayUrl : new URL('/mcp', gatewayUrl).href);

// What every request of this revision carries instead of a handshake.
const envelope = {
  'io.modelcontextprotocol/protocolVersion': revision,
  'io.modelcontextprotocol/clientCapabilities': {},
  'io.modelcontextprotocol/clientInfo': { name: 'portcullis-tour', version: '0.1.0' },
};

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The response within a body: the body itself, or the one event of a stream that is not a notification. */
function messageOf(contentType: string, raw: string): z.infer<typeof Message> {
  const texts = contentType.startsWith('text/event-stream') ? [...raw.matchAll(/^data: ?(.+)$/gm)].map(([, data]) => data ?? '') : [raw];
  for (const text of texts) {
    const content = jsonIn(text);
    if (typeof content === 'object' && content !== null && ('result' in content || 'error' in content)) return Message.parse(content);
  }
  throw new Error(`There is no JSON-RPC response in: ${raw.slice(0, 200)}`);
}

/** Sends one MCP request as an agent and prints both ways unless told to be quiet. Each call uses the same id, so that answers compare whole. */
export async function askAs(agent: AgentAt, method: string, params: Record<string, unknown>, quiet = false): Promise<AgentAnswer> {
  const url = endpoint(agent.gatewayUrl);
  const body = { jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: envelope } };
  const mcpHeaders = {
    'mcp-protocol-version': revision,
    'mcp-method': method,
    ...(typeof params['name'] === 'string' ? { 'mcp-name': params['name'] } : {}),
  };
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...mcpHeaders };
  if (!quiet) {
    const shown = Object.entries(mcpHeaders).map(([name, value]) => `${name}: ${value}`);
    sent([`POST ${url}`, `authorization: Bearer <the key of ${agent.slug}>`, ...shown].join('\n'), body);
  }
  const answer = await reach(url, { method: 'POST', headers: { ...headers, authorization: `Bearer ${agent.key}` }, body: JSON.stringify(body) });
  const contentType = answer.headers.get('content-type') ?? '';
  const raw = await answer.text();
  if (!quiet) received(`${answer.status} ${contentType}`, raw.trimEnd());
  return { status: answer.status, contentType, raw, message: messageOf(contentType, raw) };
}

/** Names in the agent's list of tools. */
export const namesIn = (answer: AgentAnswer): string[] => (answer.message.result?.tools ?? []).map(({ name }) => name);
