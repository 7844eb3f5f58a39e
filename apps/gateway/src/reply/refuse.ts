import type { IncomingMessage, ServerResponse } from 'node:http';
import { GatewayError } from '@portcullis/contracts/errors';
import type { ClassifiedResponse, RefusedMessage } from '@portcullis/mcp';
import { CallRecord } from '../audit/call-record.js';
import type { Gateway } from '../gateway.js';
import type { Visit } from '../visit.js';
import { errorMessage, refusalMessage, rpcError } from './error-message.js';
import type { HttpReply } from './http-reply.js';

/** What the trail calls a request whose method nobody could read. */
const UNREADABLE = 'unreadable';

/** Refuses a body that is no request we serve, and records it. A posted answer to a question: nobody here has asked one. */
export async function refuseBody(message: RefusedMessage | ClassifiedResponse, visit: Visit, reply: HttpReply): Promise<void> {
  const era = message.kind === 'response' ? message.era : null;
  await new CallRecord(visit, { method: UNREADABLE, era, traceparent: undefined }).end({ status: 'refused', reason: 'client.malformed' });
  visit.gateway.metrics.ended(UNREADABLE, 'refused');
  if (message.kind === 'refused') {
    const wire = refusalMessage(message);
    reply.finish(wire.status, [wire.message]);
  } else reply.finish(400, [rpcError(null, { code: -32600, message: 'No request of this session waits for this answer' })]);
}

/** Counts what was refused before anybody knew whose it was: strangers must not be able to fill the trail. */
export function countRefusal(error: unknown, metrics: Gateway['metrics']): void {
  metrics.refusedAtEdge(error instanceof GatewayError ? error.code : 'node.internal');
}

/** Records what was refused after authentication but before there was a message. */
export async function recordRefusal(error: unknown, visit: Visit): Promise<void> {
  if (!(error instanceof GatewayError) || error.code === 'node.audit_unavailable') return;
  visit.gateway.metrics.ended(UNREADABLE, 'refused');
  const record = new CallRecord(visit, { method: UNREADABLE, era: null, traceparent: undefined });
  await record
    .end({ status: 'refused', reason: error.code })
    .catch((unrecorded: unknown) => visit.gateway.logError(unrecorded, 'A refusal was not recorded'));
}

/** Ends an HTTP request that was refused as a whole. Where its body was not read the connection ends too. */
export function refuse(
  error: unknown,
  http: { request: IncomingMessage; response: ServerResponse; reply: HttpReply },
  gateway: Pick<Gateway, 'logError'>,
): void {
  const { request, response, reply } = http;
  if (!(error instanceof GatewayError)) gateway.logError(error, 'A request failed');
  const wire = errorMessage(error, null, null);
  for (let at = 0; at + 1 < wire.headers.length; at += 2) reply.setHeader(wire.headers[at] ?? '', wire.headers[at + 1] ?? '');
  if (wire.closes || !request.complete) response.shouldKeepAlive = false;
  reply.finish(wire.status, [wire.message]);
}
