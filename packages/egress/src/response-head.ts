import { errors } from 'undici';

/** How the end of a body is found (RFC 9112 §6.3). */
export type Framing = 'none' | 'length' | 'chunked' | 'until_close';

/** What a response says before its body. */
export interface ResponseHead {
  readonly status: number;
  /** By lower-case name; several of one name are an array. */
  readonly headers: Record<string, string | string[]>;
  readonly framing: Framing;
  /** Of the body, where its length is given. */
  readonly bytes: number;
  /** Whether the connection takes another request after this response. */
  readonly persists: boolean;
}

/** Token, colon, and a value of visible characters, blanks and bytes of other alphabets: no folded line, no blank before a colon, no lone CR or LF. */
const HEAD = /^HTTP\/1\.[01] [1-9]\d\d(?: [\t\x20-\x7e\x80-\xff]*)?(?:\r\n[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*)*$/;
/** A line of trailers, which are read for the sake of their end alone. */
export const FIELD_LINE = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*$/;
const STATUS_AT = 'HTTP/1.1 '.length;
const BLANK = 0x20;
const LENGTH = /^\d{1,15}$/;
const CLOSE = /(?:^|,)[ \t]*close[ \t]*(?:,|$)/i;

/** A fault of what a server wrote. Nothing after it on its connection can be trusted. */
export const malformed = (fault: string): Error => new errors.HTTPParserError(fault);

/** Reads a head without its last line end; refuses whatever leaves two opinions on where the body ends. */
export function parseHead(text: string, isHeadRequest: boolean): ResponseHead {
  if (!HEAD.test(text)) throw malformed('The head of the response is malformed');
  const status = Number(text.slice(STATUS_AT, STATUS_AT + 3));
  const headers = headersOf(text);
  const persists = text.startsWith('HTTP/1.1') && !saysClose(headers['connection']);
  const { framing, bytes } = framingOf(headers);
  if (status < 200 || status === 204 || status === 304 || isHeadRequest) return { status, headers, framing: 'none', bytes: 0, persists };
  return { status, headers, framing, bytes, persists: persists && framing !== 'until_close' };
}

function headersOf(text: string): ResponseHead['headers'] {
  const headers = Object.create(null) as ResponseHead['headers']; // a server may call a header `__proto__`
  let lineEnd = text.indexOf('\r\n');
  while (lineEnd !== -1) {
    const from = lineEnd + 2;
    const colon = text.indexOf(':', from);
    lineEnd = text.indexOf('\r\n', colon);
    const name = text.slice(from, colon).toLowerCase();
    const value = withoutBlanks(text, colon + 1, lineEnd === -1 ? text.length : lineEnd);
    const earlier = headers[name];
    headers[name] = earlier === undefined ? value : [...[earlier].flat(), value];
  }
  return headers;
}

/** Blanks alone: where a tab stands around a length, not every reader takes it. */
function withoutBlanks(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && text.charCodeAt(start) === BLANK) start += 1;
  while (end > start && text.charCodeAt(end - 1) === BLANK) end -= 1;
  return text.slice(start, end);
}

function framingOf(headers: ResponseHead['headers']): { framing: Framing; bytes: number } {
  const length = headers['content-length'];
  const encoding = headers['transfer-encoding'];
  if (encoding !== undefined) {
    if (length !== undefined) throw malformed('Both Content-Length and Transfer-Encoding');
    if (typeof encoding !== 'string' || encoding.toLowerCase() !== 'chunked') throw malformed('A Transfer-Encoding that was not asked for');
    return { framing: 'chunked', bytes: 0 };
  }
  if (length === undefined) return { framing: 'until_close', bytes: 0 };
  if (typeof length !== 'string' || !LENGTH.test(length)) throw malformed('A Content-Length that is no length');
  return { framing: 'length', bytes: Number(length) };
}

function saysClose(connection: string | string[] | undefined): boolean {
  return connection !== undefined && [connection].flat().some((value) => CLOSE.test(value));
}
