import { AUDIT_BATCH_VERSION, AuditBatch, AuditEvent } from '@portcullis/contracts/audit';
import { decodeEvent } from './encode-event.js';
import { decodeFrames, joinFrames, type Frame } from './frame.js';

/** A batch that a worker cannot read: not what a node writes, or damaged on the way. */
export class UnreadableBatch extends Error {
  override readonly name = 'UnreadableBatch';
}

/** An event of a batch that is not an audit event, as its raw bytes. */
export interface UnreadableEvent {
  readonly seq: number;
  readonly bytes: Buffer;
}

export function encodeBatch(node: string, boot: string, frames: readonly Buffer[], firstSeq: number): AuditBatch {
  return {
    v: AUDIT_BATCH_VERSION,
    node,
    boot,
    firstSeq,
    lastSeq: firstSeq + frames.length - 1,
    frames: joinFrames(frames).toString('base64'),
  };
}

/** The events of a job's data. Throws `UnreadableBatch`; a single odd event is given apart and spoils nothing. */
export function decodeBatch(data: unknown): { batch: AuditBatch; events: AuditEvent[]; unreadable: UnreadableEvent[] } {
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
  return { batch, events, unreadable };
}

function parseEvent({ seq, payload }: Frame): AuditEvent | undefined {
  try {
    const event = AuditEvent.safeParse(decodeEvent(payload.toString()));
    return event.success && event.data.seq === seq ? event.data : undefined;
  } catch {
    return undefined;
  }
}
