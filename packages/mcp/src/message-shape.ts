import { isJsonObject, ownMember, type JsonObject } from './json-value.js';
import { refused, type RefusedMessage } from './refused-message.js';
import { echoableId, isRequestId, type RequestId } from './request-id.js';

/** A well-formed request, era not yet known. */
export interface RequestShape {
  readonly kind: 'request';
  readonly id: RequestId;
  readonly method: string;
  readonly params: JsonObject | undefined;
  readonly meta: JsonObject | undefined;
  readonly progressToken: RequestId | undefined;
}

/** A well-formed notification, era not yet known. */
export interface NotificationShape {
  readonly kind: 'notification';
  readonly method: string;
  readonly params: JsonObject | undefined;
  readonly meta: JsonObject | undefined;
}

/** A well-formed response. */
export interface ResponseShape {
  readonly kind: 'response';
  readonly id: RequestId;
  readonly message: JsonObject;
}

/** What JSON-RPC 2.0 alone says about one message. */
export type MessageShape = RequestShape | NotificationShape | ResponseShape | RefusedMessage;

const METHOD_CHARS_MAX = 128;
// Control characters and lone surrogates never belong to a method, and would travel into logs and audit rows.
const UNFIT_TEXT = /[\p{Cc}\p{Surrogate}]/u;
const CALL_KEYS: ReadonlySet<string> = new Set(['jsonrpc', 'id', 'method', 'params']);

/** Checks one message against JSON-RPC 2.0 as MCP narrows it: object params, string or integer ids, no foreign members. */
export function readShape(body: unknown): MessageShape {
  if (!isJsonObject(body)) return refused(-32600, 'The body is not a JSON-RPC message', null);
  if (ownMember(body, 'jsonrpc') !== '2.0') return bad(body, 'jsonrpc must be "2.0"');
  return Object.hasOwn(body, 'method') ? readCall(body) : readResponse(body);
}

function readCall(body: JsonObject): MessageShape {
  const method = ownMember(body, 'method');
  if (typeof method !== 'string' || method === '') return bad(body, 'method must be a non-empty string');
  if (method.length > METHOD_CHARS_MAX || UNFIT_TEXT.test(method)) return bad(body, 'method is not a method name');
  for (const key in body) if (!CALL_KEYS.has(key)) return bad(body, 'The message has members that JSON-RPC does not know');
  const params = ownMember(body, 'params');
  if (params !== undefined && !isJsonObject(params)) return bad(body, 'params must be an object');
  const meta = params && ownMember(params, '_meta');
  if (meta !== undefined && !isJsonObject(meta)) return bad(body, '_meta must be an object');
  const progressToken = meta && ownMember(meta, 'progressToken');
  if (progressToken !== undefined && !isRequestId(progressToken)) return bad(body, 'progressToken must be a string or an integer');
  if (!Object.hasOwn(body, 'id')) return { kind: 'notification', method, params, meta };
  const id = ownMember(body, 'id');
  if (!isRequestId(id)) return bad(body, 'id must be a string of at most 256 characters or an integer');
  return { kind: 'request', id, method, params, meta, progressToken };
}

function readResponse(body: JsonObject): MessageShape {
  const id = ownMember(body, 'id');
  const hasResult = Object.hasOwn(body, 'result');
  const hasError = Object.hasOwn(body, 'error');
  if (hasResult === hasError) return bad(body, 'The body is neither a request nor a response');
  if (!isRequestId(id)) return bad(body, 'id must be a string of at most 256 characters or an integer');
  if (Object.keys(body).length !== 3) return bad(body, 'The message has members that JSON-RPC does not know');
  if (hasResult && !isJsonObject(ownMember(body, 'result'))) return bad(body, 'result must be an object');
  if (hasError && !isErrorObject(ownMember(body, 'error'))) return bad(body, 'error must have an integer code and a message');
  return { kind: 'response', id, message: body };
}

function isErrorObject(value: unknown): boolean {
  return isJsonObject(value) && Number.isSafeInteger(ownMember(value, 'code')) && typeof ownMember(value, 'message') === 'string';
}

function bad(body: JsonObject, message: string): RefusedMessage {
  return refused(-32600, message, echoableId(body));
}
