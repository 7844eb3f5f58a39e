export { AuditTrail } from './audit-trail.js';
export { decodeBatch, encodeBatch, UnreadableBatch, type UnreadableEvent } from './batch.js';
export { createBatchQueue, type BatchQueue } from './batch-queue.js';
export { capture, type Capture } from './capture.js';
export { decodeFrames, encodeFrame, type Frame } from './frame.js';
export { openAuditTrail, type AuditTrailOptions } from './open-audit-trail.js';
export { sanitiseText } from './sanitise-text.js';
export { SpoolFull, type SpoolLimits } from './spool.js';
export { SpoolInUse } from './spool-lock.js';
