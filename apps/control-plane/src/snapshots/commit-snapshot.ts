import { BUCKETS_PER_KIND, ChunkKind, type CarriedChanges, type SettingsEntry, type SnapshotRoot } from '@portcullis/contracts/snapshot';
import { Prisma, type PrismaClient, type Transaction } from '@portcullis/database';
import { encodeRoot, encodeSettings, type Encoded } from '@portcullis/snapshot';
import { changesToCarry } from './changes-to-carry.js';
import { parseSettings } from '../settings/settings.repository.js';
import { COMPILE_VERSION, settingsEntry } from './compile-entries.js';
import { compileBuckets, type CompiledBucket } from './compile-buckets.js';
import { draftOf, encodeIndexes, readTree, schemaOf, type PublishedTree, type TreeDraft } from './published-tree.js';
import { isNewerVersion, PublishingHeld, type PolicyVersion } from './publishing-held.js';
import { publishTree, storeTree, type BucketWrite } from './store-tree.js';

/** A snapshot as Postgres holds it. `readAtMs` is Postgres' own clock, which all control planes share. */
export interface CommittedSnapshot extends PolicyVersion, PublishedTree {
  readonly readAtMs: number;
  /** What this commit added, for its first way out; undefined where that is more than should be held in memory. */
  readonly added: readonly Encoded[] | undefined;
  /** What of that a head can carry; undefined where nodes have to read it. */
  readonly changes?: CarriedChanges | undefined;
  /** How many contents were compiled: none where everything was published already. */
  readonly contentCount: number;
  /** Servers that offer nothing because their bucket would be too large to distribute. */
  readonly silenced: readonly string[];
}

/** What a publisher knows before a round. */
export interface Foreknowledge {
  /** The newest policy that was seen signed and in use. */
  readonly seen?: Promise<PolicyVersion | undefined>;
  /** What was published at some time: need not be read again if it still is. */
  readonly tree?: PublishedTree | undefined;
}

/** Buckets read at once: bounds memory, and the parameters of a query, when everything is compiled. */
const BUCKETS_AT_ONCE = 16;
/** More than this is not held to be distributed, but read again. */
const ADDED_BYTES_MAX = 32 * 1024 * 1024;

/**
 * Compiles what changed since the last published revision and commits it, in one transaction that sees one state of policy. Whoever calls holds
 * the publisher's lock; without it a second caller fails with a serialisation error and changes nothing. Throws `PublishingHeld` where this process
 * must not publish.
 */
export async function commitSnapshot(database: PrismaClient, { seen, tree: known }: Foreknowledge = {}): Promise<CommittedSnapshot> {
  const options = { isolationLevel: Prisma.TransactionIsolationLevel.RepeatableRead, maxWait: 10_000, timeout: 300_000 };
  return database.$transaction(async (tx) => {
    const [state, newest] = await Promise.all([readState(tx), seen]);
    if (state.ahead) throw new PublishingHeld('restored');
    if (newest !== undefined && isNewerVersion(newest, state)) throw new PublishingHeld('restored', newest);
    const { published } = state;
    if (published !== null && published.compileVersion > COMPILE_VERSION) throw new PublishingHeld('newer_release');
    const tree = published === null ? undefined : known?.rootDigest === published.rootDigest ? known : await readTree(tx, published.rootDigest);
    if (published !== null && tree !== undefined && isUpToDate(published, state)) {
      return { ...tree, epoch: state.epoch, revision: state.revision, readAtMs: state.readAtMs, added: [], contentCount: 0, silenced: [] };
    }
    return compile(tx, state, published !== null && isBase(published, state) ? tree : undefined);
  }, options);
}

interface Published extends PolicyVersion {
  readonly rootDigest: string;
  readonly compileVersion: number;
}

interface DirtyBucket {
  readonly kind: ChunkKind;
  readonly bucket: number;
}

interface PolicyState extends PolicyVersion {
  readonly settings: unknown;
  /** What prices are by, in an order of their own. */
  readonly resultUnits: NonNullable<SettingsEntry['resultUnits']>;
  /** Whether a newer policy than this database knows is in use. */
  readonly ahead: boolean;
  readonly readAtMs: number;
  readonly published: Published | null;
  /** What changed since that. */
  readonly dirty: readonly DirtyBucket[];
}

async function readState(tx: Transaction): Promise<PolicyState> {
  const [state] = await tx.$queryRaw<PolicyState[]>`
    SELECT state.epoch, state.revision, settings, ahead_revision IS NOT NULL AS ahead,
      floor(extract(epoch FROM clock_timestamp()) * 1000)::float8 AS "readAtMs",
      CASE WHEN published.id IS NOT NULL THEN jsonb_build_object('epoch', published.epoch, 'revision', published.revision,
        'rootDigest', published.root_digest, 'compileVersion', published.compile_version) END AS published,
      (SELECT coalesce(jsonb_agg(DISTINCT jsonb_build_object('kind', kind, 'bucket', bucket)), '[]') FROM dirty_bucket
        WHERE dirty_bucket.revision > published.revision AND kind IS NOT NULL) AS dirty,
      (SELECT coalesce(jsonb_agg(DISTINCT jsonb_build_object('server', server, 'tool', tool, 'unit', unit)), '[]') FROM price
        WHERE unit IS NOT NULL) AS "resultUnits"
    FROM policy_state state LEFT JOIN published_snapshot published ON published.id = 1 WHERE state.id = 1`;
  if (state === undefined) throw new Error('The database has no policy_state row; it is not migrated');
  return state;
}

const isUpToDate = (published: Published, { epoch, revision }: PolicyVersion): boolean =>
  published.epoch === epoch && published.revision === revision && published.compileVersion === COMPILE_VERSION;

/** Only an older revision of the same epoch, compiled as we compile, can be built upon; else everything is compiled again. */
const isBase = (published: Published, { epoch, revision }: PolicyVersion): boolean =>
  published.epoch === epoch && published.revision < revision && published.compileVersion === COMPILE_VERSION;

async function compile(tx: Transaction, state: PolicyState, base: PublishedTree | undefined): Promise<CommittedSnapshot> {
  const { epoch, revision, readAtMs } = state;
  const draft = draftOf(base);
  const added = new Additions();
  const silenced: string[] = [];
  for (const kind of ChunkKind.options) {
    const buckets = base === undefined ? allBuckets() : state.dirty.filter((one) => one.kind === kind).map(({ bucket }) => bucket);
    for (let from = 0; from < buckets.length; from += BUCKETS_AT_ONCE) {
      // What waited for the buckets before this may as well wait for the end, if that is all.
      if (added.writes.contents.length >= BUCKETS_AT_ONCE) await storeTree(tx, added.takeWrites());
      const compiled = await compileBuckets(tx, kind, buckets.slice(from, from + BUCKETS_AT_ONCE), new Date(readAtMs));
      added.add(
        compiled.flatMap(({ content }) => content ?? []),
        noted(draft, kind, compiled),
      );
      silenced.push(...compiled.flatMap((bucket) => bucket.silenced));
    }
    added.add(encodeIndexes(draft, kind, buckets));
  }
  const settings = encodeSettings(settingsEntry(parseSettings(state.settings), state.resultUnits));
  const root: SnapshotRoot = { schema: schemaOf(draft), revision, settings: settings.digest, indexes: draft.indexes };
  const encoded = encodeRoot(root);
  added.add([settings, encoded]);
  const publication = { epoch, revision, rootDigest: encoded.digest, compileVersion: COMPILE_VERSION, after: base?.root.revision ?? 0 };
  await publishTree(tx, added.takeWrites(), publication);
  const { held, count: contentCount } = added;
  const upper = { rootDigest: encoded.digest, root, buckets: draft.buckets };
  const committed = { ...upper, epoch, revision, readAtMs, contentCount, silenced };
  if (base === undefined || held === undefined || root.settings !== base.root.settings) return { ...committed, added: base && held };
  return { ...committed, added: held, changes: await changesToCarry(tx, { base, buckets: draft.buckets, dirty: state.dirty, added: held }) };
}

const allBuckets = (): number[] => Array.from({ length: BUCKETS_PER_KIND }, (_, bucket) => bucket);

/** Enters what was compiled into the tree; gives what is to be stored of it. */
function noted(draft: TreeDraft, kind: ChunkKind, compiled: readonly CompiledBucket[]): BucketWrite[] {
  return compiled.map(({ bucket, content, schema }) => {
    const note = content === null ? null : { digest: content.digest, schema };
    draft.buckets[kind][bucket] = note;
    return { kind, bucket, note };
  });
}

/** What a commit adds: first to Postgres, in parts, then to Redis. */
class Additions {
  writes: { readonly buckets: BucketWrite[]; readonly contents: Encoded[] } = { buckets: [], contents: [] };
  /** Undefined as soon as it is too much. */
  held: Encoded[] | undefined = [];
  count = 0;
  private bytes = 0;

  add(contents: readonly Encoded[], buckets: readonly BucketWrite[] = []): void {
    this.writes.buckets.push(...buckets);
    this.writes.contents.push(...contents);
    this.count += contents.length;
    for (const { bytes } of contents) this.bytes += bytes.length;
    if (this.bytes > ADDED_BYTES_MAX) this.held = undefined;
    else this.held?.push(...contents);
  }

  takeWrites(): Additions['writes'] {
    const { writes } = this;
    this.writes = { buckets: [], contents: [] };
    return writes;
  }
}
