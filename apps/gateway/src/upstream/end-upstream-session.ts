import type { UpstreamSession } from '../session/upstream-sessions.js';
import { BASE_HEADERS, sessionHeaders } from './legacy-handshake.js';
import type { UpstreamWay } from './upstream-way.js';

const PATIENCE_MS = 5000;

/** Tells a server that nobody will come back to this session. A courtesy: a server may refuse, or be gone, and forgets it by itself in time. */
export async function endUpstreamSession(upstream: UpstreamWay, session: UpstreamSession): Promise<void> {
  if (session.id === undefined) return;
  const headers = [...BASE_HEADERS, ...sessionHeaders(session)];
  const request = { path: upstream.path, method: 'DELETE' as const, headers, headersTimeout: PATIENCE_MS, bodyTimeout: PATIENCE_MS };
  const answer = await upstream.pool.request(request);
  await answer.body.dump({ limit: 16_384 });
}
