import type { RequestId } from './request-id.js';

/** JSON-RPC codes a body can be refused with before any method is looked at. */
export type RefusalCode = -32700 | -32600 | -32602 | -32020 | -32022;

/** The answer to a body that is not served: an HTTP status and a JSON-RPC error. The message quotes nothing from the body. */
export interface RefusedMessage {
  readonly kind: 'refused';
  readonly status: 400 | 413;
  readonly code: RefusalCode;
  readonly message: string;
  readonly data?: unknown;
  readonly id: RequestId | null;
}

/** A refusal with HTTP 400. */
export function refused(code: RefusalCode, message: string, id: RequestId | null, data?: unknown): RefusedMessage {
  return data === undefined ? { kind: 'refused', status: 400, code, message, id } : { kind: 'refused', status: 400, code, message, data, id };
}
