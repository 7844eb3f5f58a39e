import { carriesAllContent, ProgressFinder } from '@portcullis/mcp';
import { resultCapturedBy } from '../audit/captured-by.js';
import { unitsAsked } from '../audit/result-units.js';
import { eraTowards } from '../view/era-towards.js';
import { AnswerRelay } from './answers/answer-relay.js';
import { agentVersionOf, type CallToServer } from './call-to-server.js';
import type { ForwardedCall } from './forwarded-call.js';
import type { ProgressRelay } from './upstream-post.js';

/** Progress is the same in either era, so that where it goes to a reader it passes as it is, under the agent's token. */
export function progressRelayFor({ call, reply }: CallToServer, { id }: ForwardedCall, onDrained: () => void): ProgressRelay | undefined {
  if (call.progressToken === undefined || reply.notifyProgress === undefined) return undefined;
  const token = Buffer.from(JSON.stringify(call.progressToken));
  const finder = new ProgressFinder(id);
  return {
    find: (data) => finder.find(data),
    pass: (line) => {
      if (reply.notifyProgress?.(line, token) !== false) return true;
      reply.onceDrained(onDrained);
      return false;
    },
  };
}

/** Between equal eras an answer passes unchanged, and may do so while it comes; what a parked call is answered is kept for whoever asks again. */
export function answerRelayFor(work: CallToServer, { id }: ForwardedCall, onDrained: () => void): AnswerRelay | undefined {
  const { call, reply, target, parked, visit, name } = work;
  const { era } = call;
  // What a call is charged by may come last in its result.
  if (unitsAsked(visit.live.settings, target.server.slug, name).length > 0) return undefined;
  if (era === 'legacy' && !carriesAllContent(agentVersionOf(work))) return undefined;
  if (parked !== undefined || reply.begin === undefined || eraTowards(target.server, era) !== era) return undefined;
  return new AnswerRelay({ id, agentId: call.id, era, reply, captured: resultCapturedBy(visit, target), onDrained });
}
