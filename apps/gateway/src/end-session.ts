import { CallRecord } from './audit/call-record.js';
import type { HttpReply } from './reply/http-reply.js';
import type { Session } from './session/agent-sessions.js';
import { namedSession, requireSession } from './session/named-session.js';
import { endUpstreamSession } from './upstream/end-upstream-session.js';
import type { Visit } from './visit.js';

/** `DELETE`: the client ends its legacy session, on every node. Without one, or with one that is not its own, there is nothing to end. */
export async function endSession(visit: Visit, reply: HttpReply): Promise<void> {
  const { gateway, live } = visit;
  const session = requireSession(namedSession(visit));
  if (live.settings.auditLists)
    await new CallRecord(visit, { method: 'session/end', era: 'legacy', traceparent: undefined }).end({ status: 'success' });
  gateway.sessions.end(session);
  reply.finishEmpty(200);
  await endAtServers(session, visit).catch((error: unknown) => gateway.logError(error, 'Sessions at servers were not ended'));
}

/** The servers learn of it after the client has its answer. */
async function endAtServers({ agentId, name }: Session, { gateway, live, caller }: Visit): Promise<void> {
  const ended = await gateway.upstreamSessions.takeAll(agentId, name);
  const endings = ended.map(async ({ serverId, session }) => {
    const server = live.servers.get(serverId);
    if (server !== undefined) await endUpstreamSession(gateway.upstreams.wayOf(gateway.upstreams.of(server), server, caller), session);
  });
  await Promise.allSettled(endings);
}
