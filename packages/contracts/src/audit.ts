import { z } from 'zod';
import { CaptureMode } from './capture.js';
import { Id, UNIT_LENGTH_MAX } from './names.js';

export const AUDIT_QUEUE = 'portcullis-audit';
/** Raised when a worker of this build could not read a batch. Workers are updated before nodes: what a worker does not know yet waits for one that does. */
export const AUDIT_BATCH_VERSION = 1;

/**
 * `intent` before anything goes upstream, `outcome` before the answer is complete, `single` for what was
 * answered without a call upstream (a refusal, a handshake, a list, an operator's action).
 */
export const AuditPhase = z.enum(['intent', 'outcome', 'single']);
export type AuditPhase = z.infer<typeof AuditPhase>;

export const AuditStatus = z.enum(['pending', 'success', 'tool_error', 'denied', 'refused', 'upstream_error', 'timeout', 'cancelled', 'error']);
export type AuditStatus = z.infer<typeof AuditStatus>;

export const AuditDecision = z.enum(['allow', 'deny', 'none']);
export type AuditDecision = z.infer<typeof AuditDecision>;

/** Longest text of a filter column; longer text is cut and `truncated` says so. */
export const AUDIT_TEXT_MAX = 1024;

const text = z.string().max(AUDIT_TEXT_MAX);

/** `redacted`: something was replaced. */
const CaptureDifference = CaptureMode.exclude(['full']);

/**
 * One fact as it leaves a node. Texts are well-formed, free of NUL and capped at `AUDIT_TEXT_MAX` before they
 * get here; foreign content (arguments, result summaries) travels as base64 bytes and never as text or jsonb.
 * Times are epoch milliseconds, durations microseconds.
 */
export const AuditEvent = z.object({
  /** UUIDv7 of this row. */
  id: Id,
  /** UUIDv7 that joins intent and outcome; equals `id` for `single`. Its time picks the day partition of both rows. */
  callId: Id,
  seq: z.number().int().positive(),
  phase: AuditPhase,
  at: z.number().int(),
  /** MCP method (`tools/call`), or `operator/<action>` for an operator's action. */
  method: text,
  agentId: Id.nullable(),
  agent: text.nullable(),
  keyId: text.nullable(),
  operator: text.nullable(),
  serverId: Id.nullable(),
  server: text.nullable(),
  /** Tool, prompt or resource under the server's own naming, of one from a template the URI; for a refusal the name as asked. */
  tool: text.nullable(),
  definitionHash: z.string().nullable(),
  decision: AuditDecision,
  /** Machine-readable reason: an error code of the error table, or policy's reason code. */
  reason: text.nullable(),
  grantId: Id.nullable(),
  epoch: z.number().int().nullable(),
  revision: z.number().int().nullable(),
  status: AuditStatus,
  durationUs: z.number().int().nullable(),
  upstreamUs: z.number().int().nullable(),
  era: z.enum(['legacy', 'modern']).nullable(),
  traceId: z.string().nullable(),
  /**
   * SHA-256 (hex) and size of the whole arguments as forwarded; `arguments` may be cut. Where they are redacted or hashed, the digest is keyed (`hmac:…`);
   * where nothing is kept, there is none.
   */
  argumentsHash: z.string().nullable(),
  argumentsBytes: z.number().int().nullable(),
  /** Base64 of the (redacted, capped) JSON bytes. */
  arguments: z.base64().nullable(),
  resultHash: z.string().nullable(),
  resultBytes: z.number().int().nullable(),
  /** Base64 of a capped piece of the result. */
  resultSummary: z.base64().nullable(),
  truncated: z.boolean(),
  /** Where the grants in the mode `shadow`, enforced, would have decided otherwise: how, and by which grant. */
  shadowDecision: z.enum(['allow', 'deny']).nullish(),
  shadowGrantId: Id.nullish(),
  /** The task whose key was used. */
  task: text.nullish(),
  /** On whose behalf the agent called: the subject of its access token, as its issuer names them. */
  onBehalfOf: text.nullish(),
  /** Another agent, whose name the client gave as its own in `clientInfo`. What a client says of itself opens nothing. */
  claimedAgent: text.nullish(),
  /** What the result's `_meta` reports at places that a price asks for (JSON pointers), in millionths. */
  units: z.record(z.string().max(UNIT_LENGTH_MAX), z.number().int().min(0).max(1e15)).nullish(),
  /** How what is on record of the arguments, and of the result, differs from what was sent; unsaid where it does not, but for being cut. */
  argumentsCapture: CaptureDifference.nullish(),
  resultCapture: CaptureDifference.nullish(),
  /** How often it was sent to its server once more, where nothing can have run; unsaid where it was sent once. */
  retries: z.number().int().min(1).max(1000).nullish(),
});
export type AuditEvent = z.infer<typeof AuditEvent>;

/**
 * One job of the queue: consecutive events of one boot. (node, boot, seq) is unique for ever, so that re-delivery
 * inserts nothing. `frames` is base64 of the events' spool frames, as they lie on the node's disk.
 */
export const AuditBatch = z.object({
  v: z.literal(AUDIT_BATCH_VERSION),
  node: z.string().min(1).max(128),
  boot: Id,
  firstSeq: z.number().int().positive(),
  lastSeq: z.number().int().positive(),
  frames: z.base64(),
  /** Who says so: which of the node's keys, and HMAC-SHA256 under it (base64url) over the batch's place and the SHA-256 of each frame. */
  proof: z.object({ keyId: z.string().max(64), tag: z.string().length(43) }).optional(),
});
export type AuditBatch = z.infer<typeof AuditBatch>;

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/**
 * A link of a boot's chain, signed by the node: `digest` is SHA-256 over `prev` (as 32 bytes) and the SHA-256 of each frame from `firstSeq` through
 * `lastSeq`. The first link of a boot begins at 1 with a `prev` of zeros, each other one where the one before ended.
 */
export const AuditLink = z.object({
  boot: Id,
  firstSeq: z.number().int().positive(),
  lastSeq: z.number().int().positive(),
  prev: Sha256,
  digest: Sha256,
  keyId: z.string().max(64),
  signature: z.string().max(128),
});
export type AuditLink = z.infer<typeof AuditLink>;

/** What the recorder of an event says; the trail adds row id and sequence number. */
export type NewAuditEvent = Omit<AuditEvent, 'id' | 'seq'>;
