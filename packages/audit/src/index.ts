export { AuditTrail } from './audit-trail.js';
export { decodeBatch, encodeBatch, UnreadableBatch, type DecodedBatch, type UnreadableEvent } from './batch.js';
export { createBatchQueue, evictionIn, type BatchQueue } from './batch-queue.js';
export {
  capture,
  captureAnswer,
  captureOwn,
  keyedDigest,
  PieceCapture,
  type Capture,
  type Captured,
  type CaptureKey,
  type CaptureRule,
} from './capture.js';
export { decodeFrames, encodeFrame, frameOf, type Frame } from './frame.js';
export { newEventId } from './new-event-id.js';
export type { AuditSigner } from './proof/audit-signer.js';
export { blockText, hashBlock, NO_BLOCK, writeBlock } from './proof/block.js';
export { isTagOf } from './proof/batch-tag.js';
export { keyText, linkDigest, linkText, NO_LINK } from './proof/link-text.js';
export { sanitiseEvent } from './proof/sanitise-event.js';
export { chainOn, hashStored, isReproducible, payloadOf, QUARANTINED, type StoredEvent } from './proof/stored-event.js';
export { openAuditTrail, type AuditTrailOptions } from './open-audit-trail.js';
export { redactText, searchJson, type FoundInJson, type Searched } from './redaction/redact-json.js';
export { compilePaths } from './redaction/redaction-paths.js';
export { compileTexts } from './redaction/text-patterns.js';
export { sanitiseText } from './sanitise-text.js';
export { SpoolFull, type SpoolLimits } from './spool.js';
export { SpoolInUse } from './spool-lock.js';
