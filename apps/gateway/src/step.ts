import type { ClassifiedRequest } from '@portcullis/mcp';
import type { CallRecord } from './audit/call-record.js';
import type { Reply } from './reply/reply.js';
import type { Session } from './session/agent-sessions.js';
import type { Visit } from './visit.js';

/** Everything about one request that its steps need. */
export interface Step {
  readonly call: ClassifiedRequest;
  readonly visit: Visit;
  readonly reply: Reply;
  readonly record: CallRecord;
  readonly session: Session | undefined;
}
