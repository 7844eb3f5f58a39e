export { assembleRoot, encodeIndex, encodeRoot, type AssembledRoot, type BucketDigests } from './assemble-root.js';
export { digestOf, type Encoded } from './content.js';
export { encodeChunk, encodeSettings, type BucketContent } from './encode-chunk.js';
export { CHUNK_BYTES_MAX, HEAD_LIFETIME_MS } from './limits.js';
export { openHead, signHead, type SignBody, type VerifyBody } from './signed-head.js';
export { SnapshotRefusal, type RefusalReason } from './snapshot-refusal.js';
export { createSnapshotStore, type SnapshotStore } from './snapshot-store.js';
