import { type Agent, request } from 'node:http';

export type Era = 'legacy' | 'modern';

/** An answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number;
  /** Names in lower case, in order of arrival; `date` is left out. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

interface Sent {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly method?: string;
  /** Hangs up when aborted. */
  readonly signal?: AbortSignal;
  /** Whose connections are used; each request has its own where there is none. */
  readonly agent?: Agent | undefined;
}

/** One HTTP request and the whole answer, with nothing added or taken by a client library. */
export function send(url: string, { headers = {}, body, method = 'POST', signal, agent }: Sent): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const sending = request(
      url,
      { method, headers, agent: agent ?? false, timeout: 30_000, ...(signal === undefined ? {} : { signal }) },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => void chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () => {
          const pairs = Array.from({ length: response.rawHeaders.length / 2 }, (_, at) => {
            return [(response.rawHeaders[2 * at] ?? '').toLowerCase(), response.rawHeaders[2 * at + 1] ?? ''] as const;
          });
          const kept = pairs.filter(([name]) => name !== 'date');
          resolve({ status: response.statusCode ?? 0, headers: kept, body: Buffer.concat(chunks).toString() });
        });
      },
    );
    sending.once('timeout', () => sending.destroy(new Error(`${url} did not answer`)));
    sending.once('error', reject);
    sending.end(body);
  });
}

const revision = '2026-07-28';
const envelope = {
  'io.modelcontextprotocol/protocolVersion': revision,
  'io.modelcontextprotocol/clientCapabilities': {},
  'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
};

export const jsonHeaders = (key: string): Record<string, string> => ({
  authorization: `Bearer ${key}`,
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
});

export interface RawRequest {
  readonly key: string;
  readonly era: Era;
  readonly method: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly id?: number | string;
  readonly signal?: AbortSignal;
  readonly traceparent?: string;
  readonly agent?: Agent;
}

/** One MCP request of either era, written by hand. */
export function sendMcp(url: string, { key, era, method, params = {}, id = 1, signal, traceparent, agent }: RawRequest): Promise<RawAnswer> {
  const message = { jsonrpc: '2.0', id, method, params: era === 'modern' ? { ...params, _meta: envelope } : params };
  const name = params['name'] ?? params['uri'];
  const mirrored = { 'mcp-protocol-version': revision, 'mcp-method': method, ...(typeof name === 'string' ? { 'mcp-name': name } : {}) };
  const headers = { ...jsonHeaders(key), ...(era === 'modern' ? mirrored : {}), ...(traceparent === undefined ? {} : { traceparent }) };
  return send(url, { headers, body: JSON.stringify(message), agent, ...(signal === undefined ? {} : { signal }) });
}

export interface JsonRpcAnswer {
  readonly id?: unknown;
  readonly result?: { readonly tools?: { readonly name: string }[]; readonly content?: { readonly text?: string }[]; readonly isError?: boolean };
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}

/** The response within a body: the body itself, or the last event of a stream. */
export function messageIn({ headers, body }: RawAnswer): JsonRpcAnswer {
  const isStream = headers.some(([name, value]) => name === 'content-type' && value.startsWith('text/event-stream'));
  const text = isStream ? ([...body.matchAll(/^data: ?(.+)$/gm)].at(-1)?.[1] ?? '') : body;
  return JSON.parse(text) as JsonRpcAnswer;
}

/** Names in a list of tools, in order of the alphabet. */
export const toolNamesIn = (answer: RawAnswer): string[] => (messageIn(answer).result?.tools ?? []).map(({ name }) => name).sort();
