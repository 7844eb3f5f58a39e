import { z } from 'zod';
import { ANSWER_RULES_SCHEMA_VERSION, AnswerRulesEntry } from './answer-rules.js';
import { ServerCaptureEntry } from './capture.js';
import { Condition, GrantMode, GrantRateLimit, PinnedArguments, TargetSelector } from './grants.js';
import { CredentialEntry, PlaceEntry, ServerTlsEntry } from './credential-entries.js';
import { CallLimitEntry } from './limits.js';
import { DefinitionKind, Era, Id, Slug, TargetKind, ToolNameStyle, Transport } from './names.js';
import { AuditRelease, SettingsEntry } from './settings-entry.js';

export { AuditRelease, CredentialEntry, ServerTlsEntry, SettingsEntry };

/**
 * The newest schema this build reads and writes. Raised when a node that ignores unknown fields would allow what it must refuse. A snapshot is
 * written in the oldest schema that says everything in it (`grantSchemaOf`, `agentSchemaOf`, `serverSchemaOf`), so that older nodes read it as long
 * as they can.
 */
export const SNAPSHOT_SCHEMA_VERSION = 5;

/** Buckets per large kind: a change rewrites one bucket's chunk, one index and the root. */
export const BUCKETS_PER_KIND = 1024;
/** Indexes per kind, each naming the digests of `BUCKETS_PER_KIND / INDEXES_PER_KIND` buckets. */
export const INDEXES_PER_KIND = 32;

/** Lower-case hex SHA-256 of a chunk's, index's or root's bytes. */
export const Digest = z.string().regex(/^[0-9a-f]{64}$/);
export type Digest = z.infer<typeof Digest>;

export const ChunkKind = z.enum(['servers', 'agents', 'grants']);
export type ChunkKind = z.infer<typeof ChunkKind>;

/** The bucket of an entity: the last ten bits of its UUID, which are random in UUIDv4 and UUIDv7 alike. */
export const bucketOf = (id: string): number => Number.parseInt(id.slice(-3), 16) % BUCKETS_PER_KIND;

/** An approved definition. `json` is the exact text the server sent; `hash` pins its canonical form (RFC 8785, without `_meta`). */
export const DefinitionEntry = z.object({ kind: DefinitionKind, name: z.string(), hash: Digest, json: z.string() });
export type DefinitionEntry = z.infer<typeof DefinitionEntry>;

export const ServerEntry = z.object({
  id: Id,
  slug: Slug,
  url: z.string(),
  enabled: z.boolean(),
  /** Which era the server speaks: the operator's pin, else what discovery last saw; null before any discovery. */
  era: Era.nullable(),
  /** Set where the server speaks the other era too and none is pinned: each agent is served in its own. */
  bothEras: z.boolean().optional(),
  /** How the server is reached: Streamable HTTP unless it says otherwise. `sse` is HTTP+SSE of 2024-11-05. */
  transport: Transport.optional(),
  tags: z.array(z.string()),
  environment: z.string().nullable(),
  instructions: z.string().nullable(),
  /** The server's own `capabilities` as it declared them, as exact JSON text. */
  capabilitiesJson: z.string(),
  limits: z.object({
    concurrency: z.number().int().positive(),
    firstByteTimeoutMs: z.number().int().positive(),
    totalTimeoutMs: z.number().int().positive(),
    resultBytesMax: z.number().int().positive(),
  }),
  definitions: z.array(DefinitionEntry),
  /** What was approved, changed since, and is served to nobody until somebody decides: for the trail alone, which says why a call was refused. */
  withheld: z.array(DefinitionEntry.pick({ kind: true, name: true })).optional(),
  /** What is kept of its calls, where that is not as for all. */
  capture: ServerCaptureEntry.optional(),
  /** What agents may get of what it answers; unsaid where that is everything. */
  answerRules: AnswerRulesEntry.optional(),
  /** Unsaid where the server is called with nothing. */
  credentials: z.array(CredentialEntry).optional(),
  /** Unsaid where the server is reached as any other. */
  tls: ServerTlsEntry.optional(),
  /** How often it, or some of its tools, may be called; unsaid where nothing is said of that. */
  callLimits: z.array(CallLimitEntry).optional(),
  /** Unsaid but for servers that a runner hosts. A node that overlooked it would call without the token, and be refused. */
  place: PlaceEntry.optional(),
});
export type ServerEntry = z.infer<typeof ServerEntry>;

const CALL_LIMITS_SCHEMA_VERSION = 4;

/**
 * The same for a server as `grantSchemaOf`: an older node would make the calls that a limit refuses, let answers pass, or reach the server without its
 * certificates and show what it is called with to whomever the system trusts. Nodes that know of limits know of certificates.
 */
export function serverSchemaOf({ answerRules, callLimits, tls }: ServerEntry): number {
  if (answerRules !== undefined) return ANSWER_RULES_SCHEMA_VERSION;
  return callLimits === undefined && tls === undefined ? 1 : CALL_LIMITS_SCHEMA_VERSION;
}

/** A live agent key: HMAC-SHA256 of its secret under the pepper named by `pepperId`, base64url. */
export const AgentKeyEntry = z.object({
  id: z.string(),
  hash: z.string(),
  pepperId: z.string(),
  /** Epoch milliseconds, or null for no expiry. */
  expiresAt: z.number().int().nullable(),
});
export type AgentKeyEntry = z.infer<typeof AgentKeyEntry>;

export const AgentEntry = z.object({
  id: Id,
  slug: Slug,
  enabled: z.boolean(),
  toolNameStyle: ToolNameStyle,
  groupIds: z.array(Id),
  keys: z.array(AgentKeyEntry),
  /** What trusted issuers call it in their access tokens; unsaid where nothing. A node that overlooked it would let nobody in by it. */
  identities: z.array(z.object({ issuer: z.string(), subject: z.string() })).optional(),
  /** Epoch milliseconds until which none of its calls is made, since a budget is spent; unsaid where none is. */
  budgetSpentUntil: z.number().int().optional(),
  /** How often it may call, by limits of its own and of its groups; unsaid where nothing is said of that. */
  callLimits: z.array(CallLimitEntry).optional(),
});
export type AgentEntry = z.infer<typeof AgentEntry>;

const SPENT_BUDGETS_SCHEMA_VERSION = 3;

/** The same for an agent as `grantSchemaOf`: an older node would make the calls of one whose budget is spent, or that a limit refuses. */
export function agentSchemaOf({ budgetSpentUntil, callLimits }: AgentEntry): number {
  if (callLimits !== undefined) return CALL_LIMITS_SCHEMA_VERSION;
  return budgetSpentUntil === undefined ? 1 : SPENT_BUDGETS_SCHEMA_VERSION;
}

export const GrantSubject = z.union([z.strictObject({ agentId: Id }), z.strictObject({ groupId: Id })]);
export type GrantSubject = z.infer<typeof GrantSubject>;

export const GrantTarget = z.union([z.strictObject({ serverId: Id }), z.strictObject({ selector: TargetSelector })]);
export type GrantTarget = z.infer<typeof GrantTarget>;

/**
 * One rule: this subject may (or may not) use these names of this server, or of what the selector selects. Times are epoch milliseconds. Terms are
 * unsaid where there are none; a node that overlooked one would allow what it must refuse, so they need the schema version below.
 */
export const GrantEntry = z.object({
  id: Id,
  subject: GrantSubject,
  target: GrantTarget,
  kind: TargetKind,
  /** Exact names, or globs in which `*` stands for any run of characters. */
  names: z.array(z.string()),
  effect: z.enum(['allow', 'deny']),
  notBefore: z.number().int().nullable(),
  expiresAt: z.number().int().nullable(),
  condition: Condition.optional(),
  pinned: PinnedArguments.optional(),
  rateLimit: GrantRateLimit.optional(),
  /** Unsaid: `enforce`. */
  mode: GrantMode.optional(),
});
export type GrantEntry = z.infer<typeof GrantEntry>;

/** What a grant with a selector, condition, pinned argument, rate limit or the mode `shadow` needs of its readers. */
const GRANT_TERMS_SCHEMA_VERSION = 2;

/**
 * The oldest schema in which a node understands this grant as it is meant: a grant with anything that an older node would pass over needs the
 * schema that brought it. What needs a schema that some live node does not know cannot be written.
 */
export function grantSchemaOf({ target, condition, pinned, rateLimit, mode }: GrantEntry): number {
  const hasTerms = 'selector' in target || condition !== undefined || pinned !== undefined || rateLimit !== undefined || mode !== undefined;
  return hasTerms ? GRANT_TERMS_SCHEMA_VERSION : 1;
}

const BucketNumber = z
  .number()
  .int()
  .min(0)
  .max(BUCKETS_PER_KIND - 1);

const chunkOf = <T extends z.ZodType>(kind: string, item: T) => z.object({ kind: z.literal(kind), bucket: BucketNumber, items: z.array(item) });

export const ServersChunk = chunkOf('servers', ServerEntry);
export const AgentsChunk = chunkOf('agents', AgentEntry);
/** Grants lie in the bucket of their subject's id. */
export const GrantsChunk = chunkOf('grants', GrantEntry);
export const SettingsChunk = z.object({ kind: z.literal('settings'), settings: SettingsEntry });

/** Digests of the buckets of one index, in bucket order; null for an empty bucket. */
export const SnapshotIndex = z.object({
  kind: ChunkKind,
  index: z
    .number()
    .int()
    .min(0)
    .max(INDEXES_PER_KIND - 1),
  chunks: z.array(Digest.nullable()).length(BUCKETS_PER_KIND / INDEXES_PER_KIND),
});
export type SnapshotIndex = z.infer<typeof SnapshotIndex>;

const indexDigests = z.array(Digest.nullable()).length(INDEXES_PER_KIND);

export const SnapshotRoot = z.object({
  schema: z.number().int().positive(),
  revision: z.number().int().nonnegative(),
  settings: Digest,
  indexes: z.object({ servers: indexDigests, agents: indexDigests, grants: indexDigests }),
});
export type SnapshotRoot = z.infer<typeof SnapshotRoot>;

/** A head names no more contents than this as added. */
export const ADDED_NAMED_MAX = 16;
/** A head carries changes of no more buckets than this: a node encodes each of them anew. */
export const CARRIED_BUCKETS_MAX = 4;

const carriedOf = <Kind extends ChunkKind, Item extends z.ZodType>(kind: Kind, item: Item) =>
  z.object({ kind: z.literal(kind), bucket: BucketNumber, put: z.array(item), gone: z.array(Id) });

/** What differs in one bucket: entries that are new or say something else, and the ids of those that are no more. */
export const CarriedBucket = z.discriminatedUnion('kind', [carriedOf('agents', AgentEntry), carriedOf('grants', GrantEntry)]);
export type CarriedBucket = z.infer<typeof CarriedBucket>;

/**
 * What a revision changed, where that is little: whoever serves the revision it came after can make the contents that the root names by itself. It
 * proves nothing: only what has the digest of the root counts.
 */
export const CarriedChanges = z.object({
  after: z.number().int().nonnegative(),
  buckets: z.array(CarriedBucket).max(CARRIED_BUCKETS_MAX),
});
export type CarriedChanges = z.infer<typeof CarriedChanges>;

/** What a head says. Re-issued every second; only a newer `issuedAt` makes policy younger. Times are epoch milliseconds. */
export const SnapshotHead = z.object({
  epoch: z.number().int().nonnegative(),
  revision: z.number().int().nonnegative(),
  schema: z.number().int().positive(),
  rootDigest: Digest,
  issuedAt: z.number().int(),
  notAfter: z.number().int(),
  keyId: z.string(),
  /** Contents that this revision added, where they are few: whoever serves the one before needs no others, and may fetch them together. */
  added: z.array(Digest).max(ADDED_NAMED_MAX).optional(),
  /** A hint, and one that a later release may widen: what cannot be read of it is as good as unsaid. */
  changes: CarriedChanges.optional().catch(undefined),
});
export type SnapshotHead = z.infer<typeof SnapshotHead>;

/** A head as it travels: `body` is the exact JSON text the Ed25519 `signature` (base64url) covers. */
export const SignedHead = z.object({ body: z.string(), signature: z.string() });
export type SignedHead = z.infer<typeof SignedHead>;

/** Redis names of the distribution. */
export const snapshotKeys = {
  head: 'portcullis:head',
  channel: 'portcullis:head',
  chunk: (digest: Digest): string => `portcullis:chunk:${digest}`,
} as const;
