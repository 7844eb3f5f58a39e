import type { ClassifiedRequest } from '@portcullis/mcp';
import type { Cancellation } from '../cancel/cancellation.js';
import type { ParkedCall } from '../questions/parked-call.js';
import type { Questioning } from '../questions/put-question.js';
import type { StatePlace } from '../questions/request-states.js';
import type { Reply } from '../reply/reply.js';
import type { Session } from '../session/agent-sessions.js';
import type { VisibleTarget } from '../view/agent-view.js';
import type { Visit } from '../visit.js';
import type { AnswerShare } from './answers/large-answers.js';
import type { Retried } from './upstream-post.js';

/** A decided call on its way: everything the server's side needs to know. */
export interface CallToServer {
  readonly visit: Visit;
  readonly call: ClassifiedRequest;
  readonly target: VisibleTarget;
  readonly nameMember: 'name' | 'uri' | 'ref';
  readonly argumentsJson: string | undefined;
  readonly session: Session | undefined;
  readonly reply: Reply;
  readonly cancellation: Cancellation;
  /** The server's own name for what is called or completed, or the URI. */
  readonly name: string;
  readonly place: StatePlace;
  readonly questioning: Questioning;
  readonly share: AnswerShare;
  readonly record: Retried;
  /** Where the call outlives the request it came with. */
  readonly parked: ParkedCall | undefined;
}

/** The revision of the protocol that the agent speaks: what was agreed at `initialize`; the oldest clients say it nowhere else. */
export const agentVersionOf = ({ call, session }: CallToServer): string => session?.version ?? call.version;
