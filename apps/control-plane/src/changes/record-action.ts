import { captureOwn, chainOn, hashStored } from '@portcullis/audit';
import type { AuditEvent } from '@portcullis/contracts/audit';
import type { Transaction } from '@portcullis/database';
import { v7 } from 'uuid';
import type { Author } from './author.js';

/** Node name of what the control plane records itself. */
export const CONTROL_PLANE_NODE = 'control-plane';

const ARGUMENT_BYTES_MAX = 65_536;

/** An operator's action as it goes on record. */
export interface Action {
  readonly action: string;
  readonly detail: Readonly<Record<string, unknown>>;
  /** Epoch and revision that hold the change; absent for what is not policy. */
  readonly policy?: { readonly epoch: number; readonly revision: number };
  /** The access request that this is part of. */
  readonly requestId?: string | undefined;
}

/**
 * Writes the audit event of an operator's action in the caller's transaction, so that neither exists without the other. Actions of all control
 * planes are one run of sequence numbers without a hole: one that is rolled back gives its number back.
 */
export const recordAction = (tx: Transaction, author: Author, action: Action): Promise<void> => recordActions(tx, author, [action]);

/** The same for several actions, in their order. */
export async function recordActions(tx: Transaction, author: Author, actions: readonly Action[]): Promise<void> {
  if (actions.length === 0) return;
  const at = new Date();
  const { boot, seq, chain: before } = await takeNumbers(tx, actions.length, at);
  const first = seq - BigInt(actions.length - 1);
  let chain: Uint8Array<ArrayBuffer> = before ?? new Uint8Array(32);
  const data = actions.map((action, place) => {
    const row = { ...eventOf(author, action, at), boot, seq: first + BigInt(place) };
    const hash = hashOf(row);
    chain = Uint8Array.from(chainOn(chain, hash));
    return { ...row, hash: Uint8Array.from(Buffer.from(hash, 'latin1')), chain };
  });
  await tx.auditEvent.createMany({ data });
  // The row stays locked until the end of the transaction: actions are chained in the order of their numbers.
  await tx.auditOperatorCounter.update({ where: { id: 1 }, data: { chain } });
}

interface Numbers {
  readonly boot: string;
  /** The last of those that were taken. */
  readonly seq: bigint;
  readonly chain: Uint8Array<ArrayBuffer> | null;
}

/** The next numbers, and a partition for the day: one round trip, since changes of policy wait for one another meanwhile. */
async function takeNumbers(tx: Transaction, count: number, at: Date): Promise<Numbers> {
  const [taken] = await tx.$queryRaw<Numbers[]>`UPDATE audit_operator_counter SET seq = seq + ${count} WHERE id = 1
    RETURNING boot::text AS boot, seq, chain, audit_ensure_day(${at.toISOString().slice(0, 10)}::date)::text AS day`;
  if (taken === undefined) throw new Error('The database has no audit_operator_counter row; it is not migrated');
  return taken;
}

/** What a row does not say is null in it. */
const NOTHING = {
  agentId: null,
  agent: null,
  serverId: null,
  server: null,
  tool: null,
  definitionHash: null,
  reason: null,
  grantId: null,
  durationUs: null,
  upstreamUs: null,
  era: null,
  traceId: null,
  resultHash: null,
  resultBytes: null,
  resultSummary: null,
};

/** An operator's action is hashed as if a node had written it in a frame. */
function hashOf({ requestId, node: _node, boot: _boot, day: _day, ...row }: ReturnType<typeof eventOf> & { boot: string; seq: bigint }): string {
  const args = Buffer.from(row.arguments).toString('base64');
  const event: AuditEvent = { ...NOTHING, ...row, seq: Number(row.seq), at: row.at.getTime(), arguments: args };
  const hash = hashStored({ event, requestId, frame: null });
  if (hash === undefined) throw new Error('A row without a frame of its own has a hash');
  return hash;
}

function eventOf(author: Author, { action, detail, policy, requestId }: Action, at: Date) {
  const id = v7({ msecs: at.getTime() });
  const kept = captureOwn(JSON.stringify(detail), ARGUMENT_BYTES_MAX);
  return {
    day: new Date(at.toISOString().slice(0, 10)),
    node: CONTROL_PLANE_NODE,
    id,
    callId: id,
    phase: 'single' as const,
    at,
    method: `operator/${action}`,
    operator: author.name,
    keyId: author.tokenId ?? null,
    decision: 'none' as const,
    status: 'success' as const,
    epoch: policy?.epoch ?? null,
    revision: policy?.revision ?? null,
    argumentsHash: kept.hash,
    argumentsBytes: kept.bytes,
    arguments: Uint8Array.from(Buffer.from(kept.kept ?? '', 'base64')),
    argumentsCapture: kept.how,
    requestId: requestId ?? null,
    truncated: kept.truncated,
  };
}
