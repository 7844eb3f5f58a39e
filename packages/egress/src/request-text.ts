import { errors, type Dispatcher } from 'undici';

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const UNFIT = /[^\t\x20-\x7e]/;
const UNFIT_PATH = /[^\x21-\x7e]/;
/** Ours to say, or no header of a request that is sent whole. */
const RESERVED: ReadonlySet<string> = new Set(['host', 'connection', 'content-length', 'transfer-encoding', 'upgrade', 'expect', 'keep-alive']);
const NAMES_MAX = 1024;
const fitNames = new Set<string>();

/** A request as it goes out, in one piece. */
export interface RequestText {
  readonly text: string;
  readonly encoding: 'latin1' | 'utf8';
}

/** Writes a request. Throws for what would not be read as it is meant. */
export function requestText(options: Dispatcher.DispatchOptions, host: string): RequestText {
  const { method, path, body = null } = options;
  if (body !== null && typeof body !== 'string') throw new errors.InvalidArgumentError('A body must be a text');
  if (!path.startsWith('/') || UNFIT_PATH.test(path)) throw new errors.InvalidArgumentError('invalid path');
  const head = `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\n${headerLines(options.headers)}`;
  if (body === null) return { text: `${head}\r\n`, encoding: 'latin1' };
  const bytes = Buffer.byteLength(body);
  return { text: `${head}content-length: ${bytes}\r\n\r\n${body}`, encoding: bytes === body.length ? 'latin1' : 'utf8' };
}

function headerLines(headers: Dispatcher.DispatchOptions['headers']): string {
  let lines = '';
  if (Array.isArray(headers)) for (let at = 0; at + 1 < headers.length; at += 2) lines += headerLine(headers[at], headers[at + 1]);
  else if (headers !== undefined && headers !== null)
    for (const [name, value] of Symbol.iterator in headers ? headers : Object.entries(headers))
      if (value !== undefined) lines += headerLine(name, value);
  return lines;
}

function headerLine(name: unknown, value: unknown): string {
  if (typeof name !== 'string' || typeof value !== 'string') throw new errors.InvalidArgumentError('A header must be a text');
  if (!isFitName(name) || UNFIT.test(value)) throw new errors.InvalidArgumentError(`invalid ${name} header`);
  return `${name}: ${value}\r\n`;
}

/** Few names come again and again. */
function isFitName(name: string): boolean {
  if (fitNames.has(name)) return true;
  if (!NAME.test(name) || RESERVED.has(name.toLowerCase())) return false;
  if (fitNames.size < NAMES_MAX) fitNames.add(name);
  return true;
}
