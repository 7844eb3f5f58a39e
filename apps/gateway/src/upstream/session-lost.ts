import { isJsonObject, ownMember, parseJson } from '@portcullis/mcp';
import type { UpstreamAnswer } from './upstream-post.js';

/** What the SDKs, and servers built on their examples, say of a session before anything runs. Codes differ; tools use them too. */
const UNKNOWN_SESSION: ReadonlySet<unknown> = new Set([
  'Bad Request: Mcp-Session-Id header is required',
  'Bad Request: Missing session ID',
  'Bad Request: No valid session ID',
  'Bad Request: No valid session ID provided',
  'Bad Request: Server not initialized',
  'Invalid or missing session ID',
  'Session not found',
]);
const CODES: ReadonlySet<unknown> = new Set([-32000, -32001, -32600]);

/**
 * Whether a server says that it does not know the session, so that nothing ran: 404 by the specification (MCP 2025-06-18 §Session Management), or
 * 400 with an error that is one of those texts, whole. Any other 400 may be the answer of a tool that ran.
 */
export function isSessionLost({ status, message }: UpstreamAnswer): boolean {
  if (status === 404) return true;
  if (status !== 400 || message === undefined) return false;
  let parsed: unknown;
  try {
    parsed = parseJson(message);
  } catch {
    return false;
  }
  const error = isJsonObject(parsed) ? ownMember(parsed, 'error') : undefined;
  return isJsonObject(error) && CODES.has(ownMember(error, 'code')) && UNKNOWN_SESSION.has(ownMember(error, 'message'));
}
