import { GatewayError } from '@portcullis/contracts/errors';
import { isJsonObject, ownMember, parseJson, type JsonObject, type RpcError } from '@portcullis/mcp';

/** A JSON-RPC answer taken apart: `resultJson` is the result in the server's own bytes wherever that could be had. */
export interface RpcAnswer {
  readonly result: JsonObject | undefined;
  readonly resultJson: string;
  readonly error: RpcError | undefined;
}

/** Whether a message of a stream is the answer to the request with this id. */
export function answersTo(message: string, id: string): boolean {
  // Most messages of a stream are notifications: only what has the id, under its name or one that may be it, is worth parsing.
  if (!message.includes(id) || !(message.includes('"id"') || message.includes('\\u'))) return false;
  const parsed = parse(message);
  return parsed !== undefined && !Object.hasOwn(parsed, 'method') && ownMember(parsed, 'id') === id;
}

/** Reads the answer to the request with this id; `upstream.protocol` for anything else, an answer to another request included. */
export function readAnswer(message: string, id: string): RpcAnswer {
  const parsed = parse(message);
  if (parsed === undefined) throw new GatewayError('upstream.protocol', { fault: 'not a JSON object' });
  const error = ownMember(parsed, 'error');
  const answered = ownMember(parsed, 'id');
  // A server that could not read our id says null; then it is an error, and this exchange has no other request.
  if (answered !== id && !(answered === null && error !== undefined))
    throw new GatewayError('upstream.protocol', { fault: 'answers another request' });
  if (error !== undefined) return { result: undefined, resultJson: '', error: readError(error) };
  const result = ownMember(parsed, 'result');
  if (!isJsonObject(result)) throw new GatewayError('upstream.protocol', { fault: 'neither result nor error' });
  const slice = sliceResult(message, id);
  const isWhole = slice !== undefined && Object.keys(parsed).length === MEMBERS && isOneValue(slice, id);
  return { result, resultJson: isWhole ? slice : JSON.stringify(result), error: undefined };
}

function readError(error: unknown): RpcError {
  if (!isJsonObject(error)) throw new GatewayError('upstream.protocol', { fault: 'malformed error' });
  const code = ownMember(error, 'code');
  const message = ownMember(error, 'message');
  if (typeof code !== 'number' || !Number.isSafeInteger(code) || typeof message !== 'string') {
    throw new GatewayError('upstream.protocol', { fault: 'malformed error' });
  }
  const said = message.length <= ERROR_CHARS_MAX ? message : `${message.slice(0, ERROR_CHARS_MAX).toWellFormed()}…`;
  return Object.hasOwn(error, 'data') ? { code, message: said, data: error['data'] } : { code, message: said };
}

/** `jsonrpc`, `id` and `result`. What else a server writes beside them would be taken by its reader for a part of our answer. */
const MEMBERS = 3;

/** Whether nothing is written behind the result, under a name that comes twice: JSON.parse tells of the last alone. */
function isOneValue(slice: string, id: string): boolean {
  if (!slice.includes('"result"') && !slice.includes('"jsonrpc"') && !slice.includes(id) && !slice.includes('\\u')) return true;
  return parse(slice) !== undefined;
}

/** What a server says for an error is read by models and shown to people: a sentence, not a page. */
const ERROR_CHARS_MAX = 4096;

/**
 * The result's own text, for a message in one of the two orders that servers write; undefined otherwise. Whoever reads our answer may take the
 * first or the last of two equal members, so our own id is written after the result, and what could hide in the slice stays before it.
 */
function sliceResult(message: string, id: string): string | undefined {
  const head = `{"jsonrpc":"2.0","id":"${id}","result":`;
  if (message.startsWith(head) && message.endsWith('}')) return message.slice(head.length, -1);
  const start = '{"result":';
  const tail = `,"jsonrpc":"2.0","id":"${id}"}`;
  return message.startsWith(start) && message.endsWith(tail) ? message.slice(start.length, -tail.length) : undefined;
}

function parse(message: string): JsonObject | undefined {
  try {
    const parsed: unknown = parseJson(message);
    return isJsonObject(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}
