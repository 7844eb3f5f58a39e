import { isRequestId, ownMember, type ClassifiedNotification } from '@portcullis/mcp';
import { callerName } from '../caller/authenticate.js';
import type { HttpReply } from '../reply/http-reply.js';
import { namedSession } from '../session/named-session.js';
import type { Visit } from '../visit.js';
import { callName } from './running-calls.js';

/** A notification is taken and has no answer. In a legacy session it must be of one that this agent has. */
export async function takeNotification(notification: ClassifiedNotification, visit: Visit, reply: HttpReply): Promise<void> {
  heedNotification(notification, visit);
  reply.finishEmpty(202);
  return Promise.resolve();
}

/** Does what a notification says, where that is anything to us. A modern client cancels by going away, never by a message. */
export function heedNotification({ era, method, params }: ClassifiedNotification, visit: Visit): void {
  if (era === 'modern') return;
  const session = namedSession(visit);
  const id = method === 'notifications/cancelled' && params !== undefined ? ownMember(params, 'requestId') : undefined;
  if (isRequestId(id)) visit.gateway.cancels.cancel(callName(callerName(visit.caller), session?.name, id));
}
