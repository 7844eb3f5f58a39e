import { Settings } from '@portcullis/contracts/api/policy';
import { BUCKETS_PER_KIND, ChunkKind, INDEXES_PER_KIND, SnapshotRoot, type Digest } from '@portcullis/contracts/snapshot';
import { Prisma, type PrismaClient, type Transaction } from '@portcullis/database';
import { encodeIndex, encodeRoot, encodeSettings, type Encoded } from '@portcullis/snapshot';
import { COMPILE_VERSION, settingsEntry } from './compile-entries.js';
import { compileBuckets, type CompiledBucket } from './compile-buckets.js';
import { PublishingHeld } from './publishing-held.js';
import { storeContents } from './stored-contents.js';

/** A snapshot as Postgres holds it. `readAtMs` is Postgres' own clock, which all control planes share. */
export interface CommittedSnapshot {
  readonly epoch: number;
  readonly revision: number;
  readonly rootDigest: Digest;
  readonly root: SnapshotRoot;
  readonly readAtMs: number;
  /** What this commit added, for its first way out; not complete after everything was compiled, since that may be more than fits in memory. */
  readonly added: readonly Encoded[];
  /** Servers that offer nothing because their bucket would be too large to distribute. */
  readonly silenced: readonly string[];
}

interface Published {
  readonly epoch: number;
  readonly revision: number;
  readonly rootDigest: string;
  readonly compileVersion: number;
}

const BUCKETS_PER_INDEX = BUCKETS_PER_KIND / INDEXES_PER_KIND;
/** Buckets read at once: bounds memory, and the parameters of a query, when everything is compiled. */
const BUCKETS_AT_ONCE = 16;

/**
 * Compiles what changed since the last published revision and commits it, in one transaction that sees one state of policy. Whoever calls holds
 * the publisher's lock; without it a second caller fails with a serialisation error and changes nothing. Throws `PublishingHeld` where this process
 * must not publish.
 */
export async function commitSnapshot(database: PrismaClient): Promise<CommittedSnapshot> {
  const options = { isolationLevel: Prisma.TransactionIsolationLevel.RepeatableRead, maxWait: 10_000, timeout: 300_000 };
  return database.$transaction(async (tx) => {
    const [state] = await tx.$queryRaw<PolicyState[]>`
      SELECT epoch, revision, settings, ahead_revision IS NOT NULL AS ahead, floor(extract(epoch FROM clock_timestamp()) * 1000)::float8 AS "readAtMs"
      FROM policy_state WHERE id = 1`;
    if (state === undefined) throw new Error('The database has no policy_state row; it is not migrated');
    const published = await tx.publishedSnapshot.findUnique({ where: { id: 1 } });
    if (state.ahead) throw new PublishingHeld('restored');
    if (published !== null && published.compileVersion > COMPILE_VERSION) throw new PublishingHeld('newer_release');
    const root = published === null ? undefined : await readRoot(tx, published.rootDigest);
    if (published !== null && root !== undefined && isUpToDate(published, state)) {
      return {
        epoch: state.epoch,
        revision: state.revision,
        rootDigest: published.rootDigest,
        root,
        readAtMs: state.readAtMs,
        added: [],
        silenced: [],
      };
    }
    const base = isBase(published, state) && root !== undefined ? { published, root } : undefined;
    const next = await compile(tx, { ...state, base });
    await publish(tx, next, base?.published.revision ?? 0);
    return next;
  }, options);
}

interface PolicyState {
  readonly epoch: number;
  readonly revision: number;
  readonly settings: unknown;
  /** Whether a newer policy than this database knows is in use. */
  readonly ahead: boolean;
  readonly readAtMs: number;
}

const isUpToDate = (published: Published, { epoch, revision }: PolicyState): boolean =>
  published.epoch === epoch && published.revision === revision && published.compileVersion === COMPILE_VERSION;

/** Only an older revision of the same epoch, compiled as we compile, can be built upon; else everything is compiled again. */
function isBase(published: Published | null, { epoch, revision }: PolicyState): published is Published {
  return published !== null && published.epoch === epoch && published.revision < revision && published.compileVersion === COMPILE_VERSION;
}

async function readRoot(tx: Transaction, digest: Digest): Promise<SnapshotRoot | undefined> {
  const row = await tx.snapshotChunk.findUnique({ where: { digest } });
  return row === null ? undefined : SnapshotRoot.parse(JSON.parse(Buffer.from(row.bytes).toString('utf8')));
}

interface Compilation extends PolicyState {
  readonly base: { published: Published; root: SnapshotRoot } | undefined;
}

async function compile(tx: Transaction, { epoch, revision, settings, readAtMs, base }: Compilation): Promise<CommittedSnapshot> {
  const added: Encoded[] = [];
  const silenced: string[] = [];
  const indexes = base === undefined ? emptyIndexes() : structuredClone(base.root.indexes);
  const dirty = base && (await dirtyBuckets(tx, base.published.revision));
  for (const kind of ChunkKind.options) {
    const buckets = dirty?.filter((one) => one.kind === kind).map(({ bucket }) => bucket) ?? allBuckets();
    for (let from = 0; from < buckets.length; from += BUCKETS_AT_ONCE) {
      const compiled = await compileBuckets(tx, kind, buckets.slice(from, from + BUCKETS_AT_ONCE), new Date(readAtMs));
      const contents = await storeBuckets(tx, kind, compiled);
      if (base === undefined) await storeContents(tx, contents);
      else added.push(...contents);
      silenced.push(...compiled.flatMap((bucket) => bucket.silenced));
    }
    for (const index of new Set(buckets.map((bucket) => Math.floor(bucket / BUCKETS_PER_INDEX)))) {
      const content = await compileIndex(tx, kind, index);
      indexes[kind][index] = content?.digest ?? null;
      if (content !== null) added.push(content);
    }
  }
  const settingsContent = encodeSettings(settingsEntry(Settings.parse(settings)));
  const root: SnapshotRoot = { schema: await neededSchema(tx), revision, settings: settingsContent.digest, indexes };
  const rootContent = encodeRoot(root);
  added.push(settingsContent, rootContent);
  await storeContents(tx, added);
  return { epoch, revision, rootDigest: rootContent.digest, root, readAtMs, added, silenced };
}

/** The oldest schema that says everything in this snapshot: older nodes read it as long as they can. */
async function neededSchema(tx: Transaction): Promise<number> {
  return (await tx.snapshotBucket.aggregate({ _max: { schema: true } }))._max.schema ?? 1;
}

const allBuckets = (): number[] => Array.from({ length: BUCKETS_PER_KIND }, (_, bucket) => bucket);
const emptyIndexes = (): SnapshotRoot['indexes'] => {
  const none = (): null[] => Array.from({ length: INDEXES_PER_KIND }, () => null);
  return { servers: none(), agents: none(), grants: none() };
};

interface DirtyBucket {
  readonly kind: ChunkKind;
  readonly bucket: number;
}

async function dirtyBuckets(tx: Transaction, after: number): Promise<readonly DirtyBucket[]> {
  return tx.$queryRaw<DirtyBucket[]>`
    SELECT DISTINCT kind::text AS kind, bucket FROM dirty_bucket WHERE revision > ${after} AND kind IS NOT NULL ORDER BY kind, bucket`;
}

/** Notes each bucket's digest; returns the contents of those that are not empty. What a bucket held before begins its last day. */
async function storeBuckets(tx: Transaction, kind: ChunkKind, compiled: readonly CompiledBucket[]): Promise<Encoded[]> {
  const filled = compiled.flatMap(({ bucket, content, schema }) => (content === null ? [] : [{ bucket, content, schema }]));
  const buckets = compiled.map(({ bucket }) => bucket);
  await tx.$executeRaw`
    WITH gone AS (DELETE FROM snapshot_bucket WHERE kind = ${kind}::chunk_kind AND bucket = ANY(${buckets}::int[]) RETURNING digest)
    UPDATE snapshot_chunk SET last_referenced = now() WHERE digest IN (SELECT digest FROM gone)`;
  await tx.snapshotBucket.createMany({ data: filled.map(({ bucket, content, schema }) => ({ kind, bucket, digest: content.digest, schema })) });
  return filled.map(({ content }) => content);
}

async function compileIndex(tx: Transaction, kind: ChunkKind, index: number): Promise<Encoded | null> {
  const first = index * BUCKETS_PER_INDEX;
  const rows = await tx.snapshotBucket.findMany({ where: { kind, bucket: { gte: first, lt: first + BUCKETS_PER_INDEX } } });
  if (rows.length === 0) return null;
  const chunks: (Digest | null)[] = Array.from({ length: BUCKETS_PER_INDEX }, () => null);
  for (const { bucket, digest } of rows) chunks[bucket - first] = digest;
  return encodeIndex({ kind, index, chunks });
}

async function publish(tx: Transaction, { epoch, revision, rootDigest }: CommittedSnapshot, after: number): Promise<void> {
  const at = new Date();
  const what = { epoch, revision, rootDigest, compileVersion: COMPILE_VERSION, at };
  await tx.publishedSnapshot.upsert({ where: { id: 1 }, create: { id: 1, ...what }, update: what });
  await tx.revision.updateMany({ where: { publishedAt: null, revision: { gt: after, lte: revision } }, data: { publishedAt: at } });
}
