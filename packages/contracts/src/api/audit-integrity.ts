import { z } from 'zod';
import { Id } from '../names.js';
import { exampleIntegrity } from './audit-examples.js';
import { pageOf, pageQuery, Timestamp } from './conventions.js';

const seq = z.number().int().nonnegative();

/** Sequence numbers, first and last included. */
export const SeqRange = z.object({ firstSeq: seq, lastSeq: seq });
export type SeqRange = z.infer<typeof SeqRange>;

/**
 * `complete`: every event the boot is known to have recorded is stored. `arriving`: some are not yet, and their node was heard of or got further within
 * the last minute. `missing`: some are not, and nothing has come for a minute.
 */
export const BootState = z.enum(['complete', 'arriving', 'missing']);
export type BootState = z.infer<typeof BootState>;

export const AuditBoot = z.object({
  node: z.string(),
  boot: Id,
  state: BootState,
  /** Up to here nothing is missing. */
  contiguousSeq: seq,
  /** The highest number that is stored, or that the node has said it used. */
  lastSeq: seq,
  /** Numbers up to `lastSeq` that are not stored. */
  missingEvents: seq,
  /** Where they are; of many the first hundred. */
  missing: z.array(SeqRange),
  missingTruncated: z.boolean(),
  /** Since when events are awaited and none has come; null where none are. */
  behindSince: Timestamp.nullable(),
  /** Seconds since `behindSince`. */
  lagSeconds: z.number().nonnegative(),
  /** Events kept aside because they could not be stored as they came; each has a stub in its place. */
  quarantined: z.number().int(),
});
export type AuditBoot = z.infer<typeof AuditBoot>;

/** By node and boot; `state` keeps one kind. */
export const AuditIntegrityQuery = z.strictObject({ ...pageQuery, node: z.string().min(1).max(128).optional(), state: BootState.optional() });
export type AuditIntegrityQuery = z.infer<typeof AuditIntegrityQuery>;

/**
 * `sealing`: what is stored is sealed within a minute. `behind`: it is not. `held`: transactions are numbered lower than those already sealed, as after a
 * restore from a dump; nothing is sealed until somebody has seen to it (docs/architecture.md).
 */
export const SealingState = z.enum(['sealing', 'behind', 'held']);
export type SealingState = z.infer<typeof SealingState>;

export const AuditSealing = z.object({
  state: SealingState,
  /** The last block, and when it was sealed; null before the first. */
  block: z.number().int().nullable(),
  sealedAt: Timestamp.nullable(),
  /** Rows that are in no block yet, and the age of the oldest. */
  backlogEvents: seq,
  lagSeconds: z.number().nonnegative(),
  /** Places outside the database that are told heads: up to which block, when last, and why not since. */
  anchors: z.array(z.object({ target: z.string(), block: z.number().int(), at: Timestamp.nullable(), error: z.string().nullable() })),
});
export type AuditSealing = z.infer<typeof AuditSealing>;

/** `totals` are of all boots, whatever the filter; `operators` of what the control planes record themselves, whose numbers are one run without a hole. */
export const AuditIntegrity = pageOf(AuditBoot)
  .extend({
    totals: z.object({
      boots: z.number().int(),
      arriving: z.number().int(),
      missing: z.number().int(),
      backlogEvents: seq,
      quarantined: z.number().int(),
    }),
    operators: z.object({ lastSeq: seq, missingEvents: seq, missing: z.array(SeqRange), missingTruncated: z.boolean() }),
    sealing: AuditSealing,
  })
  .meta({ id: 'AuditIntegrity', examples: [exampleIntegrity] });
export type AuditIntegrity = z.infer<typeof AuditIntegrity>;
