import { AUDIT_BATCH_VERSION, AuditBatch, AuditEvent } from '@portcullis/contracts/audit';
import { decodeEvent } from './encode-event.js';
import { decodeFrames, joinFrames, type Frame } from './frame.js';
import { tagBatch } from './proof/batch-tag.js';
import { hashFrame } from './proof/hash-frame.js';
import type { AuditSigner } from './proof/audit-signer.js';

/** A batch that a worker cannot read: not what a node writes, or damaged on the way. */
export class UnreadableBatch extends Error {
  override readonly name = 'UnreadableBatch';
}

/** A batch of a version that only a newer worker reads: it waits in the queue for one, and is nobody's fault. */
export class NewerBatch extends Error {
  override readonly name = 'NewerBatch';

  constructor(version: number) {
    super(`A batch of version ${version} waits for a newer audit worker; this one reads up to ${AUDIT_BATCH_VERSION}`);
  }
}

/** An event of a batch that is not an audit event, as its raw bytes. */
export interface UnreadableEvent {
  readonly seq: number;
  readonly bytes: Buffer;
}

/** Consecutive frames of a boot, and their hashes behind one another, as `hashFrame` gives them. */
export interface FrameRun {
  readonly firstSeq: number;
  readonly frames: readonly Buffer[];
  readonly hashes: string;
}

/** Without a signer, which a node has as soon as it has registered its key, a batch carries no proof. */
export function encodeBatch(node: string, boot: string, { firstSeq, frames, hashes }: FrameRun, signer?: AuditSigner): AuditBatch {
  const lastSeq = firstSeq + frames.length - 1;
  const batch = { v: AUDIT_BATCH_VERSION, node, boot, firstSeq, lastSeq, frames: joinFrames(frames).toString('base64') } as const;
  if (signer === undefined) return batch;
  return { ...batch, proof: { keyId: signer.keyId, tag: tagBatch(signer.batchKey, { node, boot, firstSeq, lastSeq }, hashes) } };
}

export interface DecodedBatch {
  readonly batch: AuditBatch;
  readonly events: AuditEvent[];
  readonly unreadable: UnreadableEvent[];
  /** Of every event, by its place from `batch.firstSeq` on. */
  readonly frames: readonly { readonly payload: Buffer; readonly hash: string }[];
}

/** The events of a job's data. Throws `UnreadableBatch`, or `NewerBatch` for what must be left to a newer worker; a single odd event is given apart and spoils nothing. */
export function decodeBatch(data: unknown): DecodedBatch {
  const version = versionOf(data);
  if (version > AUDIT_BATCH_VERSION) throw new NewerBatch(version);
  const parsed = AuditBatch.safeParse(data);
  if (!parsed.success) throw new UnreadableBatch('Not an audit batch', { cause: parsed.error });
  const batch = parsed.data;
  const bytes = Buffer.from(batch.frames, 'base64');
  const { frames, goodBytes } = decodeFrames(bytes);
  const consecutive = frames.every((frame, place) => frame.seq === batch.firstSeq + place);
  if (goodBytes !== bytes.length || !consecutive || batch.firstSeq + frames.length - 1 !== batch.lastSeq) {
    throw new UnreadableBatch(`Frames of ${batch.node} ${batch.boot} ${batch.firstSeq}–${batch.lastSeq} are damaged`);
  }
  const events: AuditEvent[] = [];
  const unreadable: UnreadableEvent[] = [];
  for (const frame of frames) {
    const event = parseEvent(frame);
    if (event) events.push(event);
    else unreadable.push({ seq: frame.seq, bytes: frame.payload });
  }
  return { batch, events, unreadable, frames: frames.map(({ payload, bytes: frame }) => ({ payload, hash: hashFrame(frame) })) };
}

function versionOf(data: unknown): number {
  const version = typeof data === 'object' && data !== null && 'v' in data ? data.v : undefined;
  return typeof version === 'number' && Number.isSafeInteger(version) ? version : 0;
}

function parseEvent({ seq, payload }: Frame): AuditEvent | undefined {
  try {
    const event = AuditEvent.safeParse(decodeEvent(payload.toString()));
    return event.success && event.data.seq === seq ? event.data : undefined;
  } catch {
    return undefined;
  }
}
