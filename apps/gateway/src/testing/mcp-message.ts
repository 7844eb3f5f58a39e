import type { Era } from '@portcullis/contracts/names';
import type { RawRequest } from './raw-request.js';

export interface Asked {
  readonly era?: Era;
  readonly id?: unknown;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly path?: string;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
}

/** A JSON-RPC request of either era as it stands on the wire; `headers` has the last word. */
export function mcpRequest(method: string, { era = 'legacy', id = 1, params = {}, path = '/mcp', token, headers = {} }: Asked = {}): RawRequest {
  const line = `POST ${path} HTTP/1.1`;
  if (era === 'legacy') return { line, headers, body: JSON.stringify({ jsonrpc: '2.0', id, method, params }), ...(token !== undefined && { token }) };
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
    ...objectOf(params['_meta']),
  };
  const name = params['name'] ?? params['uri'] ?? params['taskId'];
  const mirrored = typeof name === 'string' ? { 'Mcp-Name': headerOf(name) } : {};
  return {
    line,
    headers: { 'MCP-Protocol-Version': '2026-07-28', 'Mcp-Method': method, ...mirrored, ...headers },
    body: JSON.stringify({ jsonrpc: '2.0', id, method, params: { ...params, _meta: meta } }),
    ...(token !== undefined && { token }),
  };
}

const objectOf = (value: unknown): object => (typeof value === 'object' && value !== null ? value : {});

const headerOf = (value: string): string =>
  /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(value) ? value : `=?base64?${Buffer.from(value).toString('base64')}?=`;
