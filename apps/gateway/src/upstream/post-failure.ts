import { GatewayError } from '@portcullis/contracts/errors';
import { errors } from 'undici';

const MALFORMED: ReadonlySet<unknown> = new Set(['UND_ERR_RES_EXCEEDED_MAX_SIZE', 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'UND_ERR_HEADERS_OVERFLOW']);

/** Whose fault a broken exchange is, in the words of the error table; `wasSent`: what was called may have run. */
export function failureOf(error: Error, wasSent: boolean): GatewayError {
  if (error instanceof GatewayError) return error;
  const options = { cause: error };
  if (error instanceof errors.HeadersTimeoutError) return new GatewayError('upstream.timeout', { stage: 'first_byte' }, options);
  if (error instanceof errors.BodyTimeoutError) return new GatewayError('upstream.timeout', { stage: 'idle' }, options);
  if (error instanceof errors.HTTPParserError || ('code' in error && MALFORMED.has(error.code)))
    return new GatewayError('upstream.protocol', {}, options);
  return new GatewayError(wasSent ? 'upstream.cut' : 'upstream.unreachable', {}, options);
}

/** Whether nobody listened where we connected to, as for the moment in which a server is started anew. */
export function isRefusedConnection(error: Error & { readonly code?: unknown }): boolean {
  return error.code === 'ECONNREFUSED' || error.code === 'ECONNRESET';
}

/** What is wrong with an answer before its first byte. We ask for no compression, so that a small body cannot be a large one. */
export function faultOf(headers: Record<string, string | string[] | undefined>, bytesMax: number): GatewayError | undefined {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') return new GatewayError('upstream.protocol', { fault: 'content-encoding' });
  return Number(headers['content-length'] ?? 0) > bytesMax ? new GatewayError('upstream.too_large') : undefined;
}
