/** One HTTP request as it stands on the wire, by its differences from one that is in order. */
export interface RawRequest {
  readonly line?: string;
  readonly token?: string | undefined;
  /** Undefined takes a header away. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** Header lines beside those, in any number of the same name. */
  readonly extra?: readonly string[];
  readonly body?: string | Buffer;
}

export const PING = '{"jsonrpc":"2.0","id":1,"method":"ping"}';

export function rawRequest({ line = 'POST /mcp HTTP/1.1', token, headers = {}, extra = [], body = PING }: RawRequest): Buffer {
  const all = {
    Host: 'localhost',
    Authorization: token === undefined ? undefined : `Bearer ${token}`,
    'Content-Type': 'application/json',
    Accept: 'application/json, text/event-stream',
    'Content-Length': String(Buffer.byteLength(body)),
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]));
  return Buffer.concat([Buffer.from(`${[line, ...lines, ...extra].join('\r\n')}\r\n\r\n`, 'latin1'), Buffer.from(body)]);
}
