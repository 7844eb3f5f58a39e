import { z } from 'zod';
import { AuditEvent, AuditLink } from '../audit.js';
import { Id } from '../names.js';
import { Timestamp } from './conventions.js';

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const seq = z.number().int().nonnegative();

/** Consecutive events of one boot on one day: day, node, boot, first and last number, and SHA-256 over the hashes of their rows in that order. */
export const AuditSegment = z.tuple([z.iso.date(), z.string(), Id, seq, seq, Sha256]);
export type AuditSegment = z.infer<typeof AuditSegment>;

/**
 * What is signed of a block, as JSON. `root` is the Merkle root (RFC 9162) over its segments, `prev` the SHA-256 of the content of the block before, zeros
 * for the first. A block of kind `dropped` says that retention took a whole day away, and covers no rows.
 */
export const AuditBlockContent = z.object({
  n: z.number().int().positive(),
  kind: z.enum(['rows', 'dropped']),
  prev: Sha256,
  root: Sha256,
  events: seq,
  /** Rows stored by the transactions from the first through before the second are in this block. */
  transactions: z.tuple([z.string(), z.string()]),
  /** Links of nodes' chains that were stored meanwhile: node, boot, last number, digest. */
  links: z.array(z.tuple([z.string(), Id, seq, Sha256])),
  sealedAt: Timestamp,
  dropped: z.object({ day: z.iso.date(), events: seq, reason: z.string(), by: z.string() }).optional(),
});
export type AuditBlockContent = z.infer<typeof AuditBlockContent>;

/** A block: `content` and `segments` are the JSON texts themselves, since signatures and hashes are over their bytes. */
export const AuditBlock = z.object({ content: z.string(), segments: z.string(), keyId: z.string(), signature: z.string() });
export type AuditBlock = z.infer<typeof AuditBlock>;

/** The head of the chain of blocks as it is told to places outside the database: `hash` is the SHA-256 of the block's content. */
export const AuditAnchorHead = z.object({
  n: z.number().int().positive(),
  hash: Sha256,
  events: seq,
  sealedAt: Timestamp,
  keyId: z.string(),
  publicKey: z.string(),
  signature: z.string(),
});
export type AuditAnchorHead = z.infer<typeof AuditAnchorHead>;

const base64 = z.base64().nullable();

/** A row of the trail with all that its hash takes; `chain` only of the control planes' own events. */
export const AuditProofRow = z.object({
  day: z.iso.date(),
  node: z.string(),
  boot: Id,
  event: AuditEvent,
  requestId: Id.nullable(),
  hash: base64,
  frame: base64,
  chain: base64,
});
export type AuditProofRow = z.infer<typeof AuditProofRow>;

export const AuditNodeKey = z.object({
  keyId: z.string(),
  node: z.string(),
  publicKey: z.string(),
  certifiedBy: z.string(),
  certificate: z.string(),
});
export type AuditNodeKey = z.infer<typeof AuditNodeKey>;

export const AuditSigningKey = z.object({ keyId: z.string(), publicKey: z.string() });
export type AuditSigningKey = z.infer<typeof AuditSigningKey>;

/** Every key with which blocks may be signed, on one page: keep a copy elsewhere. */
export const AuditSigningKeys = z.object({ items: z.array(AuditSigningKey), nextCursor: z.null() }).meta({ id: 'AuditSigningKeys' });
export type AuditSigningKeys = z.infer<typeof AuditSigningKeys>;

/**
 * One line of `GET /v1/audit/proof`: a heading, then of each block the block, its rows by day, node, boot and number, and the links it names; at the end how
 * far each boot is stored. With the public keys of `keys`, got from elsewhere, it is verified without a database.
 */
export const AuditProofLine = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('proof'),
    version: z.literal(1),
    madeAt: Timestamp,
    keys: z.array(AuditSigningKey),
    nodeKeys: z.array(AuditNodeKey),
    /** Every block that says a day was dropped, wherever in the chain it stands. */
    dropped: z.array(AuditBlock),
  }),
  z.object({ type: z.literal('block'), block: AuditBlock }),
  z.object({ type: z.literal('row'), row: AuditProofRow }),
  z.object({ type: z.literal('link'), node: z.string(), link: AuditLink }),
  z.object({
    type: z.literal('end'),
    stored: z.array(z.object({ node: z.string(), boot: Id, contiguousSeq: seq })),
    /** Rows that are in no block yet. */
    unsealedEvents: seq,
    /** Whether the last block here was the newest one there was. */
    isNewest: z.boolean(),
  }),
]);
export type AuditProofLine = z.infer<typeof AuditProofLine>;

export const AuditFindingKind = z.enum([
  'block_unreadable',
  'block_missing',
  'block_forged',
  'block_altered',
  'chain_broken',
  'head_rolled_back',
  'row_altered',
  'row_missing',
  'row_inserted',
  'rows_altered',
  'link_forged',
  'link_missing',
  'link_broken',
  'rows_not_as_signed',
  'operators_broken',
]);
export type AuditFindingKind = z.infer<typeof AuditFindingKind>;

/** Something that is not as it was recorded, and where. */
export const AuditFinding = z.object({
  kind: AuditFindingKind,
  block: z.number().int().nullable(),
  node: z.string().nullable(),
  boot: Id.nullable(),
  firstSeq: seq.nullable(),
  lastSeq: seq.nullable(),
  detail: z.string(),
});
export type AuditFinding = z.infer<typeof AuditFinding>;

/**
 * `verified`: everything is as it was recorded, and a head kept outside the database says that nothing is gone from the end. `unanchored`: everything that is
 * there is as it was recorded, but nothing outside vouches for the blocks behind `anchoredThrough`. `failed`: see `findings`, the first of which is the first.
 */
export const AuditVerification = z
  .object({
    verdict: z.enum(['verified', 'unanchored', 'failed']),
    from: z.number().int().nullable(),
    through: z.number().int().nullable(),
    anchoredThrough: z.number().int().nullable(),
    /** Where a proof that was kept as a file ends before what anchors know: the newest block they have, sealed after the proof was written (`madeAt`, its own word). */
    anchoredLater: z.number().int().optional(),
    madeAt: Timestamp.optional(),
    events: seq,
    /** Of whole days that retention took away, as signed blocks say. */
    droppedEvents: seq,
    /** Rows in these blocks from before rows had hashes. */
    unhashedEvents: seq,
    unsealedEvents: seq,
    /** Links of nodes that were checked against rows, and those whose rows are not all in these blocks. */
    links: z.object({ checked: seq, open: seq }),
    findings: z.array(AuditFinding),
    /** All of them; `findings` has the first hundred. */
    findingsCount: seq,
  })
  .meta({ id: 'AuditVerification' });
export type AuditVerification = z.infer<typeof AuditVerification>;

/** By number of block, or by when blocks were sealed; `from` and `through` are included. Without any, everything. */
export const AuditBlockRange = z.strictObject({
  fromBlock: z.coerce.number().int().positive().optional(),
  throughBlock: z.coerce.number().int().positive().optional(),
  from: Timestamp.optional(),
  through: Timestamp.optional(),
});
export type AuditBlockRange = z.infer<typeof AuditBlockRange>;

/** One line of `GET /v1/audit/verify`: how far it has come, at the end the result. */
export const AuditVerifyLine = z.discriminatedUnion('type', [
  z.object({ type: z.literal('progress'), block: z.number().int(), events: seq }),
  z.object({ type: z.literal('result'), result: AuditVerification }),
]);
export type AuditVerifyLine = z.infer<typeof AuditVerifyLine>;
