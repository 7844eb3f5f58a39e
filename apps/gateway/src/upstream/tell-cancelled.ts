import { notificationMessage } from '@portcullis/mcp';
import type { UpstreamSession } from '../session/upstream-sessions.js';
import type { ForwardedCall } from './forwarded-call.js';
import { BASE_HEADERS, sessionHeaders } from './legacy-handshake.js';
import { postMessage } from './post-message.js';
import type { UpstreamWay } from './upstream-way.js';

/** To a legacy server a closed connection says nothing. */
export function tellCancelled(upstream: UpstreamWay, forwarded: ForwardedCall, session: UpstreamSession): void {
  const post = postMessage(upstream.pool, {
    path: upstream.path,
    headers: [...BASE_HEADERS, ...sessionHeaders(session)],
    body: notificationMessage('notifications/cancelled', { requestId: forwarded.id }),
    firstByteTimeoutMs: 5000,
    totalTimeoutMs: 5000,
    resultBytesMax: 1024,
    isAnswer: () => false,
    onMessage: () => true,
  });
  post.answer.catch(() => undefined);
}
