import type { AuditTrail, CaptureKey } from '@portcullis/audit';
import type { Implementation } from '@portcullis/mcp';
import type { Sealer } from '@portcullis/secrets';
import type { PolicySnapshot } from '@portcullis/snapshot';
import type { AccessTokens } from './caller/access-tokens.js';
import type { PepperOf } from './caller/authenticate.js';
import type { FailedAuthentication } from './caller/failed-authentication.js';
import type { TaskKeys } from './caller/task-keys.js';
import type { Cancels } from './cancel/cancels.js';
import type { ForwardedCalls } from './cancel/forwarded-calls.js';
import type { RunningCalls } from './cancel/running-calls.js';
import type { Edge } from './edge/front-filter.js';
import type { LimitCounts } from './limits/open-limits.js';
import type { NodeLinks } from './nodes/node-links.js';
import type { AccessAsker } from './own-tools/access-asker.js';
import type { CallMetrics } from './process/call-metrics.js';
import type { LoadShedding } from './process/load-shedding.js';
import type { OpenQuestions } from './questions/open-questions.js';
import type { ParkedCalls } from './questions/parked-calls.js';
import type { RequestStates } from './questions/request-states.js';
import type { SessionAskers } from './questions/session-askers.js';
import type { AgentSessions } from './session/agent-sessions.js';
import type { LogLevels } from './session/log-levels.js';
import type { UpstreamSessions } from './session/upstream-sessions.js';
import type { ChangeStreams } from './streams/change-streams.js';
import type { Upstreams } from './upstream/upstreams.js';
import type { AgentViews } from './view/agent-views.js';
import type { QuestionStreams } from './watch/question-streams.js';
import type { UpstreamWatches } from './watch/upstream-watches.js';

/** What a node is made of, as the path of a call sees it. Built once by `node.ts`. */
export interface Gateway {
  readonly edge: Edge;
  /** How we name ourselves to agents and to servers. */
  readonly serverInfo: Implementation;
  readonly policy: {
    current(): PolicySnapshot | undefined;
    ageMs(): number;
  };
  readonly pepperOf: PepperOf;
  readonly taskKeys: TaskKeys;
  readonly accessTokens: AccessTokens;
  readonly sealer: () => Sealer;
  readonly sessions: AgentSessions;
  readonly views: AgentViews;
  /** Open streams of change messages. */
  readonly streams: ChangeStreams;
  /** Servers that are listened to for them. */
  readonly watches: Pick<UpstreamWatches, 'size' | 'policyApplied' | 'close'>;
  readonly upstreams: Upstreams;
  readonly upstreamSessions: UpstreamSessions;
  readonly logLevels: LogLevels;
  readonly nodes: NodeLinks;
  /** Put to legacy clients, calls held open for modern ones, and what those hand back. */
  readonly questions: OpenQuestions;
  readonly sessionAskers: SessionAskers;
  /** Where legacy servers ask outside the answers of calls. */
  readonly questionStreams: QuestionStreams;
  readonly parkedCalls: ParkedCalls;
  readonly requestStates: RequestStates;
  /** Where agents ask for access. */
  readonly accessAsker: AccessAsker;
  readonly shedding: LoadShedding;
  readonly limits: LimitCounts;
  readonly runningCalls: RunningCalls;
  /** By whose key and at which server. */
  readonly forwardedCalls: ForwardedCalls;
  readonly cancels: Cancels;
  readonly audit: Pick<AuditTrail, 'recordIntent' | 'recordOutcome'>;
  /** Makes digests of what is not to be on record; the same for all nodes. */
  readonly captureKey: () => CaptureKey;
  readonly metrics: CallMetrics;
  readonly failedAuthentication: FailedAuthentication;
  readonly logError: (error: unknown, message: string) => void;
  /** Wall clock, epoch milliseconds. */
  readonly now: () => number;
}
