import { randomFillSync } from 'node:crypto';
import { capture, sanitiseText, type Capture } from '@portcullis/audit';
import type { AuditStatus, NewAuditEvent } from '@portcullis/contracts/audit';
import type { Era } from '@portcullis/mcp';
import type { Decision } from '@portcullis/policy';
import { v7 as uuidv7 } from 'uuid';
import type { VisibleTarget } from '../view/agent-view.js';
import type { Visit } from '../visit.js';

/** How much of a result an event keeps, in bytes; the hash is always of the whole. */
const RESULT_BYTES_KEPT = 512;

/** What a call asked for, as far as it can be told apart from what the agent wrote. */
export interface Asked {
  readonly server: { readonly id: string; readonly slug: string } | null;
  readonly name: string;
  /** Why it is not to be had: a reason code of policy, or what is wrong with the server or name. */
  readonly reason: string;
}

/** How a call ended. */
export interface Ending {
  readonly status: AuditStatus;
  readonly reason?: string | undefined;
  readonly result?: string | undefined;
  readonly upstreamUs?: number | undefined;
}

/** The audit trail of one request: `single`, or `intent` and then `outcome`. */
export class CallRecord {
  private readonly base: NewAuditEvent;
  private target: Partial<NewAuditEvent> = {};
  private kept: Partial<NewAuditEvent> = {};
  /** Whether an intent was recorded, so that an outcome is owed. */
  intended = false;

  constructor(
    private readonly visit: Visit,
    call: { readonly method: string; readonly era: Era | null; readonly traceparent: unknown },
  ) {
    const { live, caller, now } = visit;
    this.base = {
      ...EMPTY,
      callId: newCallId(),
      at: now,
      method: sanitiseText(call.method),
      agentId: caller.agent.id,
      agent: caller.agent.slug,
      keyId: caller.keyId,
      epoch: live.epoch,
      revision: live.revision,
      era: call.era,
      traceId: traceIdOf(call.traceparent ?? visit.head.traceparent),
    };
  }

  /** What was asked for, where it is nothing the agent can see. */
  asked({ server, name, reason }: Asked): void {
    this.target = { serverId: server?.id ?? null, server: server?.slug ?? null, tool: sanitiseText(name), decision: 'deny', reason };
  }

  decided({ server, definition }: VisibleTarget, decision: Decision): void {
    this.target = {
      serverId: server.id,
      server: server.slug,
      tool: sanitiseText(definition.name),
      definitionHash: definition.hash,
      decision: decision.effect === 'deny' ? 'deny' : 'allow',
      reason: decision.reasons[0]?.code ?? null,
      grantId: decision.grantId,
    };
  }

  /** The arguments as they are forwarded; kept with the intent, or with the single row of a refusal. */
  arguments(json: string): void {
    const taken: Capture = capture(json, this.visit.live.settings.auditArgumentBytesMax);
    this.kept = { argumentsHash: taken.hash, argumentsBytes: taken.bytes, arguments: taken.kept, truncated: taken.truncated };
  }

  /** Must be awaited before anything goes upstream. */
  async intent(): Promise<void> {
    await this.visit.gateway.audit.recordIntent({ ...this.base, ...this.target, ...this.kept, phase: 'intent', status: 'pending' });
    this.intended = true;
  }

  /** Must be awaited before the answer is complete. */
  end(ending: Ending): Promise<void> {
    const { status, reason, result, upstreamUs = null } = ending;
    const event: NewAuditEvent = {
      ...this.base,
      ...this.target,
      ...(this.intended ? {} : this.kept),
      phase: this.intended ? 'outcome' : 'single',
      at: this.intended ? this.visit.gateway.now() : this.base.at,
      status,
      durationUs: Math.round((performance.now() - this.visit.startedAt) * 1000),
      upstreamUs,
    };
    if (reason !== undefined) event.reason = reason;
    if (result === undefined) return this.visit.gateway.audit.recordOutcome(event);
    const taken = capture(result, RESULT_BYTES_KEPT);
    event.resultHash = taken.hash;
    event.resultBytes = taken.bytes;
    event.resultSummary = taken.kept;
    return this.visit.gateway.audit.recordOutcome(event);
  }
}

const RANDOM_BYTES = 16;
const POOL_BYTES = 16_384;
const pool = Buffer.alloc(POOL_BYTES);
let taken = POOL_BYTES;

/** UUIDv7 from random bytes fetched a thousand calls at a time: asking the system on every call costs more than the rest of the record. */
function newCallId(): string {
  if (taken === POOL_BYTES) {
    randomFillSync(pool);
    taken = 0;
  }
  const random = pool.subarray(taken, taken + RANDOM_BYTES);
  taken += RANDOM_BYTES;
  return uuidv7({ rng: () => random });
}

const EMPTY: NewAuditEvent = {
  callId: '',
  phase: 'single',
  at: 0,
  method: '',
  agentId: null,
  agent: null,
  keyId: null,
  operator: null,
  serverId: null,
  server: null,
  tool: null,
  definitionHash: null,
  decision: 'none',
  reason: null,
  grantId: null,
  epoch: null,
  revision: null,
  status: 'pending',
  durationUs: null,
  upstreamUs: null,
  era: null,
  traceId: null,
  argumentsHash: null,
  argumentsBytes: null,
  arguments: null,
  resultHash: null,
  resultBytes: null,
  resultSummary: null,
  truncated: false,
};

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;

function traceIdOf(traceparent: unknown): string | null {
  const id = typeof traceparent === 'string' ? TRACEPARENT.exec(traceparent)?.[1] : undefined;
  return id === undefined || id === '0'.repeat(32) ? null : id;
}
