import type { Visit } from '../visit.js';
import type { StreamFacts } from './change-stream.js';

/** Whose the stream is that a request opens. */
export function streamOwner({ caller, slug }: Visit): Pick<StreamFacts, 'agentId' | 'keyId' | 'task' | 'expiresAt' | 'slug'> {
  return { agentId: caller.agent.id, keyId: caller.keyId, task: caller.task, expiresAt: caller.expiresAt, slug };
}
