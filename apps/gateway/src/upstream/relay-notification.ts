import { isJsonObject, ownMember, parseJson, type ClassifiedRequest, type JsonObject } from '@portcullis/mcp';
import { reaches, type LogWish } from '../session/log-level.js';

/**
 * A message that came on the stream of a call, as the agent may get it: progress under the agent's own token, log messages where it takes any.
 * Undefined for everything else: what concerns nobody's call, and requests and their withdrawal, which `onRequest` is told of.
 */
export function relayNotification(
  message: string,
  call: ClassifiedRequest,
  at: { id: string; logs: LogWish; onRequest: (request: JsonObject) => void },
): string | undefined {
  const { id, logs, onRequest } = at;
  let parsed: unknown;
  try {
    parsed = parseJson(message);
  } catch {
    return undefined;
  }
  if (!isJsonObject(parsed)) return undefined;
  if (Object.hasOwn(parsed, 'id')) {
    if (Object.hasOwn(parsed, 'method')) onRequest(parsed);
    return undefined;
  }
  switch (ownMember(parsed, 'method')) {
    case 'notifications/progress':
      return relayProgress(message, ownMember(parsed, 'params'), { call, id });
    case 'notifications/message':
      return isWanted(ownMember(parsed, 'params'), logs) ? JSON.stringify(parsed) : undefined;
    case 'notifications/elicitation/complete':
      return call.era === 'legacy' ? JSON.stringify(parsed) : undefined;
    case 'notifications/cancelled':
      onRequest(parsed);
      return undefined;
    default:
      return undefined;
  }
}

const NAMES_TOKEN = /"progressToken"\s*:\s*$/;

function relayProgress(message: string, params: unknown, { call, id }: { call: ClassifiedRequest; id: string }): string | undefined {
  if (call.progressToken === undefined || !isJsonObject(params) || ownMember(params, 'progressToken') !== id) return undefined;
  const token = JSON.stringify(call.progressToken);
  const at = message.indexOf(`"${id}"`);
  // In the server's own text where our token can be seen to stand; a server that hides it elsewhere hides its progress from its caller.
  if (at >= 0 && NAMES_TOKEN.test(message.slice(Math.max(0, at - 32), at)) && !message.includes('\n')) {
    return message.slice(0, at) + token + message.slice(at + id.length + 2);
  }
  return JSON.stringify({ jsonrpc: '2.0', method: 'notifications/progress', params: { ...params, progressToken: call.progressToken } });
}

function isWanted(params: unknown, logs: LogWish): boolean {
  if (logs === 'none' || !isJsonObject(params)) return false;
  return logs === 'any' || reaches(ownMember(params, 'level'), logs);
}
