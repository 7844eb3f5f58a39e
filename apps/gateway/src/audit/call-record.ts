import { capture, captureAnswer, redactText, sanitiseText, type Capture } from '@portcullis/audit';
import type { AuditStatus, NewAuditEvent } from '@portcullis/contracts/audit';
import type { ServerEntry } from '@portcullis/contracts/snapshot';
import { canonicalJson, parseJson, type Era } from '@portcullis/mcp';
import type { Decision } from '@portcullis/policy';
import { ownNameOf, type VisibleTarget } from '../view/agent-view.js';
import type { Visit } from '../visit.js';
import { captureRulesOf, type CaptureRules } from './capture-rules.js';
import { capturedBy, ownSecretOf } from './captured-by.js';
import { newEvent } from './new-event.js';
import { readUnits, unitsAsked } from './result-units.js';
import { traceIdOf } from './trace-context.js';

/** Why a call is not to be had that its grant allows, only not as often. Of a limit that is not the grant's own, its id follows behind a colon. */
const RATE_LIMITED = 'rate_limited';
/** Why a call is not to be had that its grant allows, until the month ends. */
const BUDGET_SPENT = 'budget_spent';

/** What a call asked for, as far as it can be told apart from what the agent wrote. */
export interface Asked {
  readonly server: { readonly id: string; readonly slug: string } | null;
  readonly name: string;
  /** Why it is not to be had: a reason code of policy, or what is wrong with the server or name. */
  readonly reason: string;
  /** The grant that refuses it, where one does. */
  readonly grantId?: string | null;
  /** What the grants in the mode `shadow` would have decided instead. */
  readonly shadow?: Decision | undefined;
}

/** How a call ended. */
interface Ending {
  readonly status: AuditStatus;
  readonly reason?: string | undefined;
  /** The result itself, or what is kept of one that was never held whole. */
  readonly result?: string | Capture | undefined;
  /** What the server said, where the agent gets less. */
  readonly said?: string | undefined;
}

/** The audit trail of one request: `single`, or `intent` and then `outcome`. */
export class CallRecord {
  /** One object for both rows: the trail reads it before it returns. */
  private readonly event: NewAuditEvent;
  /** Whether an intent was recorded, so that an outcome is owed. */
  intended = false;
  /** Whose rules say what is kept of this call. */
  private server: ServerEntry | undefined;
  private name: string | null = null;
  /** When it was given to its server, on the monotonic clock. */
  private sentAt: number | undefined;
  /** Given, and not on record yet. */
  private argumentsJson: string | undefined;

  constructor(
    private readonly visit: Visit,
    call: { readonly method: string; readonly era: Era | null; readonly traceparent: unknown },
  ) {
    this.event = newEvent(visit, call.method, call.era);
    const traceparent = call.traceparent ?? visit.head.traceparent;
    if (traceparent !== undefined) this.event.traceId = traceIdOf(traceparent);
  }

  get callId(): string {
    return this.event.callId;
  }

  /** Another agent, whose name the client gave as its own. */
  claimed(agent: string | undefined): void {
    if (agent !== undefined) this.event.claimedAgent = agent;
  }

  /** Whether the trail has to have this, whatever a setting says. */
  get isConspicuous(): boolean {
    return this.event.claimedAgent !== null;
  }

  /** The task that is begun. */
  ofTask(task: string): void {
    this.event.task = task;
  }

  /** What was asked for, where it is nothing the agent can see. */
  asked({ server, name, reason, grantId = null, shadow }: Asked): void {
    const { event } = this;
    event.serverId = server?.id ?? null;
    event.server = server?.slug ?? null;
    this.server = server === null ? undefined : this.visit.live.servers.get(server.id);
    this.name = name;
    event.tool = sanitiseText(redactText(name, ownSecretOf(this.visit))); // whatever an agent wrote in the place of a name
    event.decision = 'deny';
    event.reason = reason;
    event.grantId = grantId;
    if (shadow !== undefined) this.shadowed(shadow);
  }

  decided(target: VisibleTarget, decision: Decision): void {
    const { event } = this;
    const { server, definition } = target;
    event.serverId = server.id;
    event.server = server.slug;
    this.server = server;
    this.name = ownNameOf(target);
    event.tool = sanitiseText(definition.kind === 'resource_template' ? redactText(this.name, ownSecretOf(this.visit)) : this.name);
    event.definitionHash = definition.hash;
    event.decision = decision.effect === 'deny' ? 'deny' : 'allow';
    event.reason = decision.reasons[0]?.code ?? null;
    event.grantId = decision.grantId;
  }

  /** There were too many calls: to this limit, or under the grant that allows this one. */
  overLimit(limitId: string | null): void {
    this.event.decision = 'deny';
    this.event.reason = limitId === null ? RATE_LIMITED : `${RATE_LIMITED}:${limitId}`;
  }

  /** A budget of the agent is spent. */
  overBudget(): void {
    this.event.decision = 'deny';
    this.event.reason = BUDGET_SPENT;
  }

  /** What the grants in the mode `shadow` would have decided instead. */
  shadowed({ effect, grantId }: Decision): void {
    this.event.shadowDecision = effect === 'deny' ? 'deny' : 'allow';
    this.event.shadowGrantId = grantId;
  }

  /** The arguments as they are forwarded; kept with the intent, or with the single row of a refusal, as the rules of what was asked for say. */
  arguments(json: string): void {
    this.argumentsJson = json;
  }

  /** The trail of a question that the server asks in the middle of this call: a row of its own that names the call. */
  forQuestion(method: string): CallRecord {
    const { event, visit } = this;
    const question = new CallRecord(visit, { method, era: event.era, traceparent: undefined });
    question.server = this.server;
    question.name = this.name;
    const { serverId, server, tool, definitionHash, decision, grantId, traceId } = event;
    const at = visit.gateway.now();
    Object.assign(question.event, { at, serverId, server, tool, definitionHash, decision, grantId, traceId, reason: `asked_in:${event.callId}` });
    return question;
  }

  /** Must be awaited before anything goes upstream. */
  async intent(): Promise<void> {
    const { event } = this;
    event.phase = 'intent';
    this.takeArguments();
    await this.visit.gateway.audit.recordIntent(event);
    this.intended = true;
    event.argumentsHash = null;
    event.argumentsBytes = null;
    event.arguments = null;
    event.argumentsCapture = null;
    event.truncated = false;
  }

  /** From here on its time is that of its server, however it ends. */
  sent(): void {
    this.sentAt = performance.now();
  }

  /** It was sent to its server once more, where nothing can have run. */
  retried(): void {
    this.event.retries = (this.event.retries ?? 0) + 1;
  }

  /** How long its server has had it; null where none was given it. */
  get upstreamUs(): number | null {
    return this.sentAt === undefined ? null : Math.round((performance.now() - this.sentAt) * 1000);
  }

  /** Must be awaited before the answer is complete. */
  end(ending: Ending): Promise<void> {
    const { event, visit } = this;
    const { status, reason, result, said } = ending;
    event.phase = this.intended ? 'outcome' : 'single';
    if (this.intended) event.at = visit.gateway.now();
    event.status = status;
    event.durationUs = Math.round((performance.now() - visit.startedAt) * 1000);
    event.upstreamUs = this.upstreamUs;
    if (reason !== undefined) event.reason = reason;
    if (typeof result === 'string') this.charge(said ?? result);
    if (!this.intended) this.takeArguments();
    if (result !== undefined) {
      const taken = typeof result === 'string' ? captureAnswer(result, said, capturedBy(visit, this.rules().results)) : result;
      event.resultHash = taken.hash;
      event.resultBytes = taken.bytes;
      event.resultSummary = taken.kept;
      event.resultCapture = taken.how;
      event.truncated ||= taken.truncated;
    }
    return visit.gateway.audit.recordOutcome(event);
  }

  /** What the result says that the call took, where a price asks for it. */
  private charge(result: string): void {
    const { event, visit } = this;
    const { settings } = visit.live;
    if (settings.resultUnits === undefined || event.method !== 'tools/call' || event.server === null || event.tool === null) return;
    const asked = unitsAsked(settings, event.server, event.tool);
    if (asked.length > 0) event.units = readUnits(result, asked) ?? null;
  }

  private takeArguments(): void {
    const { event, argumentsJson: json } = this;
    if (json === undefined) return;
    this.argumentsJson = undefined;
    const canonical = (): string => (json === '' ? '' : canonicalJson(parseJson(json)));
    const taken = capture(json, capturedBy(this.visit, this.rules().arguments, canonical));
    event.argumentsHash = taken.hash;
    event.argumentsBytes = taken.bytes;
    event.arguments = taken.kept;
    event.argumentsCapture = taken.how;
    event.truncated = taken.truncated;
  }

  private rules(): CaptureRules {
    return captureRulesOf(this.visit.live.settings, this.server, this.name);
  }
}
