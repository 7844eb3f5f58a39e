import { GatewayError } from '@portcullis/contracts/errors';
import { isLegacyVersion, isModernVersion } from '@portcullis/mcp';
import { CallRecord } from '../audit/call-record.js';
import { takesEventStream } from '../edge/front-filter.js';
import type { HttpReply } from '../reply/http-reply.js';
import { namedSession } from '../session/named-session.js';
import type { Visit } from '../visit.js';
import { ALL_LISTS } from './list-kinds.js';
import { streamOwner } from './stream-owner.js';

/**
 * `GET`: a legacy client's stream for messages that answer no request of its own (MCP 2025-11-25 §Listening for Messages from the Server). Nothing
 * is ever sent again, so no id of an earlier event is known here.
 */
export async function openStream(visit: Visit, reply: HttpReply): Promise<void> {
  const { head, gateway, caller, live } = visit;
  const { protocolVersion, lastEventId, accept, contentLength } = head;
  if (protocolVersion !== undefined && isModernVersion(protocolVersion)) throw new GatewayError('client.method_not_allowed');
  if (protocolVersion !== undefined && !isLegacyVersion(protocolVersion))
    throw new GatewayError('client.malformed', { header: 'mcp-protocol-version' });
  if (!takesEventStream(accept)) throw new GatewayError('client.not_acceptable');
  if (contentLength !== undefined && contentLength !== '0') throw new GatewayError('client.malformed', { header: 'content-length' });
  if (lastEventId !== undefined) throw new GatewayError('client.malformed', { header: 'last-event-id' });
  const session = namedSession(visit);
  const record = new CallRecord(visit, { method: 'stream/open', era: 'legacy', traceparent: undefined });
  await gateway.streams.takePlace(caller.agent.id, () => (live.settings.auditLists ? record.end({ status: 'success' }) : undefined));
  const facts = {
    ...streamOwner(visit),
    listenId: undefined,
    session,
    lists: ALL_LISTS,
  };
  const stream = gateway.streams.open(reply.openStream(), facts);
  gateway.metrics.ended('stream/open', 'success');
  if (session === undefined) return;
  await gateway.streams.sessions.join(stream, session);
  await gateway.sessionAskers.announce(session);
}
