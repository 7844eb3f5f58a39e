/** How one error leaves the process: HTTP status, JSON-RPC code and the fixed public text. */
export interface ErrorEntry {
  readonly httpStatus: number;
  readonly jsonRpcCode: number;
  readonly publicText: string;
}

const entry = (httpStatus: number, jsonRpcCode: number, publicText: string): ErrorEntry => ({ httpStatus, jsonRpcCode, publicText });

/**
 * Every error of the data plane. The family says who must act: `client` the agent, `auth` the agent's owner,
 * `policy` nobody, `limit` the agent later, `upstream` the server's owner, `node` us. Nothing else names a
 * status or a JSON-RPC code. docs/errors.md explains each.
 */
export const errorTable = {
  'client.unparsable': entry(400, -32700, 'Parse error'),
  'client.malformed': entry(400, -32600, 'Invalid Request'),
  'client.invalid_params': entry(200, -32602, 'Invalid params'),
  'client.envelope_missing': entry(400, -32602, 'Invalid params'),
  'client.unknown_method': entry(200, -32601, 'Method not found'),
  'client.header_mismatch': entry(400, -32020, 'Header mismatch'),
  'client.missing_capability': entry(400, -32021, 'Missing required client capability'),
  'client.unsupported_version': entry(400, -32022, 'Unsupported protocol version'),
  'client.unknown_session': entry(404, -32001, 'Session not found'),
  // To the agent the same as one that is unknown.
  'client.foreign_session': entry(404, -32001, 'Session not found'),
  'client.forbidden_origin': entry(403, -32600, 'Forbidden'),
  'client.method_not_allowed': entry(405, -32600, 'Method not allowed'),
  'client.not_found': entry(404, -32600, 'Not found'),
  'client.not_acceptable': entry(406, -32600, 'Not acceptable'),
  'client.unsupported_media_type': entry(415, -32600, 'Unsupported media type'),
  'client.too_large': entry(413, -32600, 'Content too large'),
  'client.headers_too_large': entry(431, -32600, 'Request header fields too large'),
  'client.timeout': entry(408, -32600, 'Request timeout'),
  'client.cancelled': entry(200, -32600, 'Request cancelled'),
  'client.invalid_state': entry(200, -32602, 'Invalid or expired request state'),
  'auth.required': entry(401, -32600, 'Unauthorized'),
  'auth.insufficient_scope': entry(403, -32600, 'Forbidden'),
  'auth.revoked_in_flight': entry(401, -32600, 'Unauthorized'),
  'policy.denied': entry(200, -32602, 'Unknown tool'),
  'policy.arguments': entry(200, -32602, 'These arguments are not allowed.'),
  'policy.answer': entry(200, -32603, 'The answer was withheld by a rule'),
  'policy.revoked_in_flight': entry(200, -32603, 'The call was stopped'),
  'limit.rate': entry(429, -32603, 'Too many requests'),
  'limit.grant_rate': entry(429, -32603, 'Too many calls'),
  'limit.call_rate': entry(429, -32603, 'Too many calls'),
  'limit.quota': entry(429, -32603, 'The calls for this period are used up'),
  'limit.concurrency': entry(429, -32603, 'Too many calls at once'),
  'limit.budget': entry(429, -32603, 'The budget for this month is spent'),
  'limit.streams': entry(429, -32603, 'Too many open streams or subscriptions'),
  'limit.parked_calls': entry(429, -32603, 'Too many calls wait for input'),
  'upstream.unreachable': entry(200, -32603, 'The server could not be reached'),
  'upstream.cut': entry(200, -32603, 'The connection to the server broke before its answer was whole'),
  'upstream.timeout': entry(200, -32603, 'The server did not answer in time'),
  'upstream.protocol': entry(200, -32603, 'The server gave an invalid answer'),
  'upstream.too_large': entry(200, -32603, 'The answer of the server is too large'),
  'upstream.busy': entry(200, -32603, 'The server has too many calls in progress'),
  'upstream.credential': entry(200, -32603, 'There is no way to sign in to the server at the moment'),
  'upstream.reconnect': entry(200, -32603, 'The connection to the server has to be made anew by an operator'),
  'upstream.unauthorized': entry(200, -32603, 'The server does not take the credential it was called with'),
  'upstream.suspended': entry(200, -32603, 'The server is not to be reached at the moment'),
  'node.call_lost': entry(200, -32603, 'The call that waited for this input is gone'),
  'node.requests_unavailable': entry(200, -32603, 'Access requests cannot be taken at the moment; ask again'),
  'node.audit_unavailable': entry(503, -32603, 'Temporarily unavailable'),
  'node.no_snapshot': entry(503, -32603, 'Temporarily unavailable'),
  'node.policy_stale': entry(503, -32603, 'Temporarily unavailable'),
  'node.issuer_unavailable': entry(503, -32603, 'Temporarily unavailable'),
  'node.policy_behind': entry(503, -32603, 'Temporarily unavailable'),
  'node.overloaded': entry(503, -32603, 'Temporarily unavailable'),
  'node.stopping': entry(503, -32603, 'Temporarily unavailable'),
  'node.internal': entry(500, -32603, 'Internal error'),
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof errorTable;

/** A refusal on the path of a call. `detail` goes to logs and audit events and never to the agent. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError';

  constructor(
    readonly code: ErrorCode,
    readonly detail: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions,
  ) {
    super(code, options);
  }

  get entry(): ErrorEntry {
    return errorTable[this.code];
  }
}

/**
 * RFC 9457 problem types of the control plane: `type` is `urn:portcullis:problem:<key>`.
 * Each has a fixed title and status; the occurrence's words go into `detail`.
 */
export const problemTable = {
  validation: { status: 400, title: 'The request is not valid' },
  unauthenticated: { status: 401, title: 'Authentication is required' },
  forbidden: { status: 403, title: 'Your role does not allow this' },
  own_decision: { status: 403, title: 'Somebody else has to decide this' },
  self_widening: { status: 403, title: 'This would give more to an agent of your own' },
  not_found: { status: 404, title: 'Not found' },
  method_not_allowed: { status: 405, title: 'Method not allowed' },
  conflict: { status: 409, title: 'The request conflicts with what exists' },
  not_revertible: { status: 409, title: 'This revision cannot be reverted' },
  not_replayable: { status: 409, title: 'This call cannot be made again' },
  idempotency_key_reused: { status: 409, title: 'This Idempotency-Key belongs to another request' },
  precondition_failed: { status: 412, title: 'The resource has changed since you read it' },
  too_large: { status: 413, title: 'The request is too large' },
  unsupported_media_type: { status: 415, title: 'Send application/json' },
  unprocessable: { status: 422, title: 'The request cannot be carried out' },
  precondition_required: { status: 428, title: 'Say in If-Match which version you mean' },
  rate_limited: { status: 429, title: 'Too many requests' },
  internal: { status: 500, title: 'Internal error' },
  unavailable: { status: 503, title: 'Temporarily unavailable' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemKey = keyof typeof problemTable;
