import { ownMember, type ClassifiedRequest } from '@portcullis/mcp';
import type { Visit } from '../visit.js';

/** Another agent than the one whose key this is, where the client gives its name as its own: that opens nothing, and somebody should know. */
export function claimedAgent(
  { clientInfo }: Pick<ClassifiedRequest, 'clientInfo'>,
  { live, caller }: Pick<Visit, 'live' | 'caller'>,
): string | undefined {
  const name = clientInfo && ownMember(clientInfo, 'name');
  return typeof name === 'string' && name !== caller.agent.slug ? live.agentsBySlug.get(name)?.slug : undefined;
}
