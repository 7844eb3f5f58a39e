import { GatewayError } from '@portcullis/contracts/errors';
import { CallRecord } from './audit/call-record.js';
import type { HttpReply } from './http-reply.js';
import type { Visit } from './visit.js';

/** `DELETE`: the client ends its legacy session, on every node. Without one, or with one that is not its own, there is nothing to end. */
export async function endSession(visit: Visit, reply: HttpReply): Promise<void> {
  const { head, gateway, caller, live, now } = visit;
  if (head.sessionId === undefined) throw new GatewayError('client.unknown_session', { reason: 'none named' });
  const session = gateway.sessions.open(head.sessionId, caller.agent.id, now);
  if (live.settings.auditLists)
    await new CallRecord(visit, { method: 'session/end', era: 'legacy', traceparent: undefined }).end({ status: 'success' });
  gateway.sessions.end(session);
  reply.finishEmpty(200);
}
