import { GatewayError, type ErrorCode } from '@portcullis/contracts/errors';
import type { Era, RefusedMessage, RequestId } from '@portcullis/mcp';
import { POLICY_LIMITS } from '../limits/policy-limits.js';

/** An error on its way out: the HTTP status, headers beside the usual ones, and the JSON-RPC message. */
interface ErrorMessage {
  readonly status: number;
  readonly headers: readonly string[];
  readonly message: string;
  readonly closes: boolean;
}

/** Codes after which the rest of the request is not read, so that the connection cannot be used again. */
const CLOSING: ReadonlySet<ErrorCode> = new Set([
  'client.headers_too_large',
  'client.too_large',
  'client.timeout',
  'client.forbidden_origin',
  'client.unsupported_media_type',
  'client.not_acceptable',
]);

/** The only place where an error becomes wire. What is not a GatewayError is `node.internal`, whatever it says of itself. */
export function errorMessage(error: unknown, id: RequestId | null, era: Era | null): ErrorMessage {
  const { code, entry, detail } = error instanceof GatewayError ? error : new GatewayError('node.internal', {}, { cause: error });
  const family = code.slice(0, code.indexOf('.'));
  const reason = code.slice(family.length + 1);
  const isTimed = POLICY_LIMITS.has(code);
  const retryAfter = isTimed ? retryAfterSeconds(detail) : 1;
  const data = family === 'upstream' || family === 'node' ? { reason } : isTimed ? { retryAfterSeconds: retryAfter } : undefined;
  const headers: string[] = [];
  if (family === 'auth') headers.push('www-authenticate', typeof detail['challenge'] === 'string' ? detail['challenge'] : 'Bearer');
  if (code === 'client.method_not_allowed') headers.push('allow', typeof detail['allow'] === 'string' ? detail['allow'] : 'GET, POST, DELETE');
  if (entry.httpStatus === 503 || entry.httpStatus === 429) headers.push('retry-after', String(retryAfter));
  const status = code === 'client.unknown_method' && era === 'modern' ? 404 : entry.httpStatus;
  return { status, headers, message: rpcError(id, { code: entry.jsonRpcCode, message: entry.publicText, data }), closes: CLOSING.has(code) };
}

const retryAfterSeconds = ({ retryAfterMs }: GatewayError['detail']): number =>
  typeof retryAfterMs === 'number' ? Math.max(1, Math.ceil(retryAfterMs / 1000)) : 1;

/** The answer to a body that the classification refused. */
export function refusalMessage(refusal: RefusedMessage): ErrorMessage {
  const { code, message, data } = refusal;
  return { status: refusal.status, headers: [], message: rpcError(refusal.id, { code, message, data }), closes: refusal.status === 413 };
}

/** A JSON-RPC error message; members come in one order, so equal errors are equal bytes. */
export function rpcError(id: RequestId | null, error: { code: number; message: string; data?: unknown }): string {
  const data = error.data === undefined ? '' : `,"data":${JSON.stringify(error.data)}`;
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"error":{"code":${String(error.code)},"message":${JSON.stringify(error.message)}${data}}}`;
}
