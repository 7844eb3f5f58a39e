import { GatewayError } from '@portcullis/contracts/errors';
import {
  isJsonObject,
  isLegacyVersion,
  notificationMessage,
  ownMember,
  PROTOCOL_VERSIONS,
  requestMessage,
  type Implementation,
  type JsonObject,
} from '@portcullis/mcp';
import type { UpstreamSession } from '../session/upstream-sessions.js';
import { answersTo, readAnswer } from './answers/read-answer.js';
import { postMessage } from './post-message.js';
import type { UpstreamPost } from './upstream-post.js';
import type { UpstreamWay } from './upstream-way.js';

/** Headers of every message we send; nothing of the agent's request is among them. */
export const BASE_HEADERS: readonly string[] = ['content-type', 'application/json', 'accept', 'application/json, text/event-stream'];

const HANDSHAKE_MS_MAX = 30_000;
const HANDSHAKE_BYTES_MAX = 1024 * 1024;

/**
 * Opens a session at a legacy server: `initialize`, then `notifications/initialized`. What is declared is what the agent's client can be asked, so
 * the server asks nothing else.
 */
export async function openLegacySession(
  upstream: UpstreamWay,
  { clientInfo, capabilities }: { readonly clientInfo: Implementation; readonly capabilities: JsonObject },
  id: string,
): Promise<UpstreamSession> {
  const params = { protocolVersion: PROTOCOL_VERSIONS.legacy[0], capabilities, clientInfo };
  const answer = await postMessage(upstream.pool, handshakePost(upstream, [...BASE_HEADERS], requestMessage(id, 'initialize', params), id)).answer;
  if (answer.status !== 200) throw new GatewayError('upstream.protocol', { status: answer.status, method: 'initialize' });
  const { result } = readAnswer(answer.message ?? '', id);
  const version = isJsonObject(result) ? ownMember(result, 'protocolVersion') : undefined;
  if (typeof version !== 'string' || !isLegacyVersion(version))
    throw new GatewayError('upstream.protocol', { method: 'initialize', fault: 'version' });
  const session: UpstreamSession = { id: answer.sessionId, version };
  const headers = [...BASE_HEADERS, ...sessionHeaders(session)];
  const ready = await postMessage(upstream.pool, handshakePost(upstream, headers, notificationMessage('notifications/initialized'), id)).answer;
  if (ready.status >= 400) throw new GatewayError('upstream.protocol', { status: ready.status, method: 'notifications/initialized' });
  return session;
}

/** Says which session and revision a message to a legacy server belongs to. The header for the revision began with 2025-06-18. */
export function sessionHeaders({ id, version }: UpstreamSession): string[] {
  const headers = id === undefined ? [] : ['mcp-session-id', id];
  if (version >= '2025-06-18') headers.push('mcp-protocol-version', version);
  return headers;
}

function handshakePost(upstream: UpstreamWay, headers: string[], body: string, id: string): UpstreamPost {
  return {
    path: upstream.path,
    headers,
    body,
    firstByteTimeoutMs: HANDSHAKE_MS_MAX,
    totalTimeoutMs: HANDSHAKE_MS_MAX,
    resultBytesMax: HANDSHAKE_BYTES_MAX,
    isAnswer: (message) => answersTo(message, id),
    onMessage: () => true,
  };
}
