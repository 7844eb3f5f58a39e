import { createHash } from 'node:crypto';
import type { PrismaClient } from '@portcullis/database';
import { v7 } from 'uuid';

/** A call, of a tool where it says nothing else, as far as a test cares. */
export interface StoredCall {
  readonly at?: Date;
  readonly agent?: string;
  readonly agentId?: string;
  readonly keyId?: string;
  readonly server?: string;
  readonly serverId?: string;
  readonly method?: string;
  readonly tool?: string;
  readonly grantId?: string;
  readonly definitionHash?: string;
  /** Why it was denied. */
  readonly reason?: string;
  readonly ms?: number;
  readonly status?: string;
  readonly args?: string;
  /** Where what was kept is not what was sent. */
  readonly argsHash?: string;
  readonly resultBytes?: number;
  /** In millionths. */
  readonly units?: Readonly<Record<string, number>>;
  /** Kept whole, or its first bytes. */
  readonly result?: string;
}

const RESULT_BYTES_KEPT = 512;
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Stores calls as a worker does, in one transaction: both rows of each, or one of a refusal. Gives their ids. */
export type StoreCalls = (calls: readonly StoredCall[]) => Promise<string[]>;

export function callStore(database: PrismaClient): StoreCalls {
  const boot = v7();
  let seq = 0;
  return async (calls) => {
    // Ids of one millisecond are in no order.
    const stored = calls.map((call, index) => rowsOf(call, new Date(Date.now() + index)));
    const data = stored.flatMap(({ rows }) => rows.map((row) => ({ ...row, boot, seq: (seq += 1) })));
    for (const day of new Set(data.map((row) => row.day.toISOString())))
      await database.$executeRaw`SELECT audit_ensure_day(${day.slice(0, 10)}::date)`;
    await database.auditEvent.createMany({ data });
    return stored.map(({ callId }) => callId);
  };
}

/** What all rows of a call say alike. */
function askedOf({ agent = 'dev', server = 'wiki', tool = 'read', method = 'tools/call', args, argsHash, ...rest }: StoredCall, at: Date) {
  const { agentId = null, keyId = null, serverId = null, grantId = null, definitionHash = null, reason = null } = rest;
  return {
    day: new Date(at.toISOString().slice(0, 10)),
    node: 'node-1',
    callId: v7({ msecs: at.getTime() }),
    at,
    method,
    agent,
    agentId,
    keyId,
    server,
    serverId,
    tool,
    grantId,
    definitionHash,
    reason,
    arguments: args === undefined ? null : Uint8Array.from(Buffer.from(args)),
    argumentsBytes: args === undefined ? null : Buffer.byteLength(args),
    argumentsHash: args === undefined ? null : (argsHash ?? sha256(args)),
  };
}

function rowsOf({ at, ...call }: StoredCall, now: Date) {
  const { ms = 1, status = 'success', resultBytes = null, units, result } = call;
  const row = askedOf(call, at ?? now);
  const kept =
    result === undefined ? {} : { resultHash: sha256(result), resultSummary: Uint8Array.from(Buffer.from(result).subarray(0, RESULT_BYTES_KEPT)) };
  const bytes = result === undefined ? resultBytes : Buffer.byteLength(result);
  const ended = {
    status,
    durationUs: BigInt(ms * 1000),
    decision: status === 'denied' ? 'deny' : 'allow',
    resultBytes: bytes,
    ...(units && { units }),
    ...kept,
  };
  const phases = status === 'denied' ? ['single'] : status === 'pending' ? ['intent'] : ['intent', 'outcome'];
  const rows = phases.map((phase) => ({
    ...row,
    id: v7({ msecs: row.at.getTime() }),
    phase,
    ...ended,
    ...(phase === 'intent' && { status: 'pending', durationUs: null, resultBytes: null, units: undefined, resultHash: null, resultSummary: null }),
  }));
  return { callId: row.callId, rows };
}
