import { GatewayError } from '@portcullis/contracts/errors';
import { emptyResult, ownMember, type ClassifiedRequest } from '@portcullis/mcp';
import type { LocalAnswer } from '../view/answer-locally.js';
import type { Visit } from '../visit.js';
import type { Session } from './agent-sessions.js';
import { isLogLevel } from './log-level.js';

/** `logging/setLevel` of the legacy era: kept for the session, and told to a server when it is next called. Without a session there is nothing to keep it for. */
export async function setLogLevel(call: ClassifiedRequest, session: Session | undefined, { gateway, now }: Visit): Promise<LocalAnswer> {
  if (call.era === 'modern') throw new GatewayError('client.unknown_method');
  const level = call.params && ownMember(call.params, 'level');
  if (!isLogLevel(level)) throw new GatewayError('client.invalid_params', { member: 'level' });
  if (session !== undefined) await gateway.logLevels.set(session.name, level, session.expiresAt - now);
  return { result: emptyResult({ era: call.era, serverInfo: gateway.serverInfo }) };
}
