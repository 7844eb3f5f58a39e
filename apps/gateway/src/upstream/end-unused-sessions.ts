import type { OnClose } from '@portcullis/boot';
import type { PolicySnapshot } from '@portcullis/snapshot';
import type { UpstreamSessions } from '../session/upstream-sessions.js';
import { endUpstreamSession } from './end-upstream-session.js';
import type { Upstreams } from './upstreams.js';

const EVERY_MS = 60_000;

/** Tells servers of the sessions at them that nobody uses any more, so that they need not wait for these to expire. */
export function endUnusedSessions(
  sessions: UpstreamSessions,
  parts: { readonly upstreams: Upstreams; readonly policy: { current(): PolicySnapshot | undefined }; readonly onClose: OnClose },
): UpstreamSessions {
  sessions.onUnused = (serverId, session) => {
    const server = parts.policy.current()?.servers.get(serverId);
    if (server === undefined) return;
    endUpstreamSession(parts.upstreams.wayOf(parts.upstreams.of(server), server), session).catch(() => undefined);
  };
  const timer = setInterval(() => void sessions.dropUnused(), EVERY_MS).unref();
  parts.onClose('unused sessions', () => clearInterval(timer));
  return sessions;
}
