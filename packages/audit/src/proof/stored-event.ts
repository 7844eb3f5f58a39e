import { hash, createHash } from 'node:crypto';
import { AuditEvent } from '@portcullis/contracts/audit';
import { decodeEvent, encodeEvent } from '../encode-event.js';
import { frameOf } from '../frame.js';
import { hashFrame } from './hash-frame.js';
import { sanitiseEvent } from './sanitise-event.js';

/** Why an event that could not be stored as it was has a stub in its place. */
export const QUARANTINED = 'audit.quarantined';

/** What a row holds of which its hash can be made again. */
export interface StoredEvent {
  readonly event: AuditEvent;
  /** The access request that an operator's action is part of. */
  readonly requestId: string | null;
  /** The payload of the frame as it was, where the row alone would not give it again. */
  readonly frame: Buffer | null;
}

/** The payload that the columns of a row give: what its node wrote, unless the worker had to keep that beside them. */
export const payloadOf = ({ event, requestId }: Omit<StoredEvent, 'frame'>): string =>
  requestId === null ? encodeEvent(event.id, event.seq, event) : `${encodeEvent(event.id, event.seq, event)} ${requestId}`;

/** Whether a row of this event gives exactly these bytes again, so that they need not be kept. */
export function isReproducible(event: AuditEvent, payload: Buffer): boolean {
  return payload.equals(Buffer.from(payloadOf({ event, requestId: null })));
}

/** The hash of a row made anew (32 bytes, latin1); undefined where its columns say something else than the frame that was kept beside them. */
export function hashStored(stored: StoredEvent): string | undefined {
  const { event, frame } = stored;
  if (frame !== null && !isOfFrame(event, frame)) return undefined;
  return hashFrame(frameOf(event.seq, frame ?? Buffer.from(payloadOf(stored))));
}

/** The head of a chain that goes on by one hash (latin1); for the control planes' own events. */
export const chainOn = (head: Uint8Array, rowHash: string): Buffer => createHash('sha256').update(head).update(rowHash, 'latin1').digest();

function isOfFrame(event: AuditEvent, frame: Buffer): boolean {
  if (event.reason === QUARANTINED) return event.argumentsHash === hash('sha256', frame, 'hex') && event.argumentsBytes === frame.length;
  try {
    const written = AuditEvent.parse(decodeEvent(frame.toString()));
    return payloadOf({ event: sanitiseEvent(written), requestId: null }) === payloadOf({ event, requestId: null });
  } catch {
    return false;
  }
}
