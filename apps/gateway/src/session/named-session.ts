import { GatewayError } from '@portcullis/contracts/errors';
import type { Visit } from '../visit.js';
import type { Session } from './agent-sessions.js';

/** The legacy session that a request names, undefined where it names none; `client.unknown_session` for one that is not its caller's. */
export function namedSession({ head, gateway, caller, now }: Visit): Session | undefined {
  return head.sessionId === undefined ? undefined : gateway.sessions.open(head.sessionId, caller.agent.id, now, caller.principal);
}

/** `client.unknown_session` where nothing can be done without one. */
export function requireSession(session: Session | undefined): Session {
  if (session === undefined) throw new GatewayError('client.unknown_session', { reason: 'none named' });
  return session;
}
