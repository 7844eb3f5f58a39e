import type { RequestId } from '@portcullis/mcp';
import { requestMessage } from '@portcullis/mcp';
import { reaches, type LogLevel } from '../session/log-level.js';
import type { UpstreamSession } from '../session/upstream-sessions.js';
import { answersTo } from './answers/read-answer.js';
import { BASE_HEADERS, sessionHeaders } from './legacy-handshake.js';
import { postMessage } from './post-message.js';
import type { UpstreamWay } from './upstream-way.js';

const PATIENCE_MS = 5000;
const BYTES_MAX = 64 * 1024;

/** What each session at a server was told last; a session that was made anew has been told nothing. */
const told = new WeakMap<UpstreamSession, LogLevel>();

/**
 * Sees to it that a legacy server sends log messages from this level on. Calls that share a session may want different ones: it is told the least
 * urgent, and each call takes what it wants. A server that will not be told is called all the same.
 */
export async function tellLogLevel(
  session: UpstreamSession,
  level: LogLevel,
  to: { upstream: UpstreamWay; isShared: boolean; id: RequestId },
): Promise<void> {
  const { upstream, isShared, id } = to;
  const last = told.get(session);
  if (last === level || (isShared && last !== undefined && reaches(level, last))) return;
  told.set(session, level);
  const post = postMessage(upstream.pool, {
    path: upstream.path,
    headers: [...BASE_HEADERS, ...sessionHeaders(session)],
    body: requestMessage(id, 'logging/setLevel', { level }),
    firstByteTimeoutMs: PATIENCE_MS,
    totalTimeoutMs: PATIENCE_MS,
    resultBytesMax: BYTES_MAX,
    isAnswer: (message) => answersTo(message, String(id)),
    onMessage: () => true,
  });
  await post.answer.catch(() => told.delete(session));
}
