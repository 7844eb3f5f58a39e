import type { ClassifiedNotification } from '@portcullis/mcp';
import type { HttpReply } from './http-reply.js';
import type { Visit } from './visit.js';

/** A notification is taken and has no answer. In a legacy session it must be of one that this agent has. */
export async function takeNotification(notification: ClassifiedNotification, visit: Visit, reply: HttpReply): Promise<void> {
  const { head, gateway, caller, now } = visit;
  if (notification.era === 'legacy' && head.sessionId !== undefined) gateway.sessions.open(head.sessionId, caller.agent.id, now);
  reply.finishEmpty(202);
  return Promise.resolve();
}
