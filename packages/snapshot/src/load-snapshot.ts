import {
  AgentsChunk,
  BUCKETS_PER_KIND,
  bucketOf,
  GrantsChunk,
  ServersChunk,
  SettingsChunk,
  SNAPSHOT_SCHEMA_VERSION,
  SnapshotIndex,
  SnapshotRoot,
  type AgentEntry,
  type ChunkKind,
  type Digest,
  type GrantEntry,
  type ServerEntry,
  type SettingsEntry,
  type SnapshotHead,
} from '@portcullis/contracts/snapshot';
import { BUCKETS_PER_INDEX } from './assemble-root.js';
import { Breath } from './breath.js';
import { regrow } from './carried-changes.js';
import type { ReadContents } from './chunk-reader.js';
import { composeSnapshot } from './compose-snapshot.js';
import { decodeContent, type Schema } from './decode-content.js';
import { bucketIdOf } from './encode-chunk.js';
import { SNAPSHOT_BYTES_MAX } from './limits.js';
import type { BucketList, BucketUpdate, LoadedSnapshot } from './loaded-snapshot.js';
import { packServer } from './packed-definition.js';
import { SharedMap, type SharedMapEdit } from './shared-map.js';
import { SnapshotRefusal } from './snapshot-refusal.js';

/** Chunks asked for at once; between two such groups the total size is looked at. */
const CHUNKS_AT_ONCE = 64;

type OnRead = (contents: ReadonlyMap<Digest, Uint8Array>) => void;

interface Loading {
  readonly read: ReadContents;
  readonly onRead: OnRead;
  readonly previous: LoadedSnapshot | undefined;
  /** Read together with the root, or made from the snapshot before. */
  readonly ahead: Map<Digest, Uint8Array>;
  readonly sizes: SharedMapEdit<number>;
  /** Contents of the snapshot before that are none of this one. */
  readonly gone: Digest[];
  bytesTotal: number;
}

/**
 * Loads the snapshot a verified head names, beside the one that is served. Only what differs from `previous` is read and parsed.
 * Throws a SnapshotRefusal; nothing has changed then. Whatever was read is handed to
 * `onRead` once nothing here needs it any more.
 */
export async function loadSnapshot(
  head: SnapshotHead,
  previous: LoadedSnapshot | undefined,
  read: ReadContents,
  onRead: OnRead = () => undefined,
): Promise<LoadedSnapshot> {
  const sizes = (previous?.sizes ?? new SharedMap<number>()).edit();
  const loading: Loading = { read, onRead, previous, ahead: new Map(), sizes, gone: [], bytesTotal: previous?.bytesTotal ?? 0 };
  const root = await loadRoot(loading, head);
  const lists = {
    servers: await loadBucketList(loading, root, 'servers'),
    agents: await loadBucketList(loading, root, 'agents'),
    grants: await loadBucketList(loading, root, 'grants'),
  };
  const settings = await loadSettings(loading, root);
  const updates = {
    servers: await loadUpdates(loading, lists.servers, (bucket, bytes) => decodeBucket(ServersChunk, 'servers', bucket, bytes).map(packServer)),
    agents: await loadUpdates(loading, lists.agents, (bucket, bytes) => decodeBucket(AgentsChunk, 'agents', bucket, bytes)),
    grants: await loadUpdates(loading, lists.grants, (bucket, bytes) => decodeBucket(GrantsChunk, 'grants', bucket, bytes)),
  };
  const buckets = { servers: lists.servers.buckets, agents: lists.agents.buckets, grants: lists.grants.buckets };
  return composeSnapshot(
    { head, root, buckets, settings, updates, sizes: sizes.done(), gone: loading.gone, bytesTotal: loading.bytesTotal },
    previous,
  );
}

async function loadRoot(loading: Loading, head: SnapshotHead): Promise<SnapshotRoot> {
  const { previous } = loading;
  if (previous?.snapshot.rootDigest === head.rootDigest) return requireOf(head, previous.root);
  if (previous !== undefined) drop(loading, previous.snapshot.rootDigest);
  for (const [digest, bytes] of regrow(head, previous) ?? (await readAhead(loading, head))) loading.ahead.set(digest, bytes);
  return requireOf(head, await fetchOne(loading, SnapshotRoot, head.rootDigest, 'root'));
}

/** The root, and in the same round trip what the head names as added. */
async function readAhead({ previous, read }: Loading, { rootDigest, added = [] }: SnapshotHead): Promise<ReadonlyMap<Digest, Uint8Array>> {
  return read([rootDigest, ...added.filter((digest) => digest !== rootDigest && previous?.sizes.has(digest) !== true)]);
}

function requireOf(head: SnapshotHead, root: SnapshotRoot): SnapshotRoot {
  if (root.schema > SNAPSHOT_SCHEMA_VERSION) throw new SnapshotRefusal('schema_newer');
  if (root.revision !== head.revision || root.schema !== head.schema) throw new SnapshotRefusal('chunk_misplaced', 'root');
  return root;
}

async function loadSettings(loading: Loading, root: SnapshotRoot): Promise<SettingsEntry> {
  const { previous } = loading;
  if (previous?.root.settings === root.settings) return previous.snapshot.settings;
  if (previous !== undefined) drop(loading, previous.root.settings);
  return (await fetchOne(loading, SettingsChunk, root.settings, 'settings')).settings;
}

interface ListOfKind {
  readonly buckets: BucketList;
  /** Numbers of those that differ from before. */
  readonly differing: readonly number[];
}

async function loadBucketList(loading: Loading, root: SnapshotRoot, kind: ChunkKind): Promise<ListOfKind> {
  const before = loading.previous?.buckets[kind] ?? [];
  const buckets = Array.from({ length: BUCKETS_PER_KIND }, (_, bucket) => before[bucket] ?? null);
  const differing: number[] = [];
  for (const [index, digest] of root.indexes[kind].entries()) {
    const known = loading.previous?.root.indexes[kind][index] ?? null;
    if (digest === known) continue;
    if (known !== null) drop(loading, known);
    const named = digest === null ? undefined : (await loadIndex(loading, { kind, index, digest })).chunks;
    for (let at = 0; at < BUCKETS_PER_INDEX; at += 1) {
      const bucket = index * BUCKETS_PER_INDEX + at;
      const [was, is] = [buckets[bucket] ?? null, named?.[at] ?? null];
      if (was === is) continue;
      if (was !== null) drop(loading, was);
      buckets[bucket] = is;
      differing.push(bucket);
    }
  }
  return { buckets, differing };
}

async function loadIndex(loading: Loading, { kind, index, digest }: { kind: ChunkKind; index: number; digest: Digest }): Promise<SnapshotIndex> {
  const what = `index ${index} of ${kind}`;
  const content = await fetchOne(loading, SnapshotIndex, digest, what);
  if (content.kind !== kind || content.index !== index) throw new SnapshotRefusal('chunk_misplaced', what);
  return content;
}

type Item = ServerEntry | AgentEntry | GrantEntry;
type ChunkSchema<Entry> = Schema<{ bucket: number; items: Entry[] }>;

async function loadUpdates<Entry extends Item>(
  loading: Loading,
  { buckets, differing }: ListOfKind,
  decode: (bucket: number, bytes: Uint8Array) => readonly Entry[],
): Promise<readonly BucketUpdate<Entry>[]> {
  const wanted = differing.flatMap((bucket) => ({ bucket, digest: buckets[bucket] ?? null }));
  const updates: BucketUpdate<Entry>[] = wanted.filter(({ digest }) => digest === null).map(({ bucket }) => ({ bucket, items: [] }));
  const filled = wanted.flatMap(({ bucket, digest }) => (digest === null ? [] : { bucket, digest }));
  const breath = new Breath();
  for (let at = 0; at < filled.length; at += CHUNKS_AT_ONCE) {
    const group = filled.slice(at, at + CHUNKS_AT_ONCE);
    const contents = await fetchAll(
      loading,
      group.map(({ digest }) => digest),
    );
    for (const { bucket, digest } of group) {
      updates.push({ bucket, items: decode(bucket, contents.get(digest) ?? new Uint8Array()) });
      if (breath.isDue) await breath.take();
    }
    loading.onRead(contents);
  }
  return updates;
}

function decodeBucket<Entry extends Item>(schema: ChunkSchema<Entry>, kind: ChunkKind, bucket: number, bytes: Uint8Array): readonly Entry[] {
  const what = `bucket ${bucket} of ${kind}`;
  const chunk = decodeContent(schema, bytes, what);
  const misplaced = chunk.items.some((item) => bucketOf(bucketIdOf(kind, item)) !== bucket);
  if (chunk.bucket !== bucket || misplaced) throw new SnapshotRefusal('chunk_misplaced', what);
  if (new Set(chunk.items.map((item) => item.id)).size !== chunk.items.length) throw new SnapshotRefusal('duplicate', what);
  return chunk.items;
}

function drop(loading: Loading, digest: Digest): void {
  loading.gone.push(digest);
  loading.bytesTotal -= loading.sizes.get(digest) ?? 0;
  loading.sizes.delete(digest);
}

function account(loading: Loading, digest: Digest, bytes: number): void {
  loading.bytesTotal += bytes - (loading.sizes.get(digest) ?? 0); // named twice, it counts once
  loading.sizes.set(digest, bytes);
  if (loading.bytesTotal > SNAPSHOT_BYTES_MAX) throw new SnapshotRefusal('snapshot_too_large', `more than ${SNAPSHOT_BYTES_MAX} bytes`);
}

async function fetchAll(loading: Loading, digests: readonly Digest[]): Promise<ReadonlyMap<Digest, Uint8Array>> {
  const contents = new Map<Digest, Uint8Array>();
  for (const digest of digests) {
    const bytes = loading.ahead.get(digest);
    if (bytes !== undefined) contents.set(digest, bytes);
    loading.ahead.delete(digest);
  }
  const missing = digests.filter((digest) => !contents.has(digest));
  for (const [digest, bytes] of missing.length === 0 ? [] : await loading.read(missing)) contents.set(digest, bytes);
  for (const [digest, bytes] of contents) account(loading, digest, bytes.length);
  return contents;
}

async function fetchOne<Content>(loading: Loading, schema: Schema<Content>, digest: Digest, what: string): Promise<Content> {
  const contents = await fetchAll(loading, [digest]);
  const content = decodeContent(schema, contents.get(digest) ?? new Uint8Array(), what);
  loading.onRead(contents);
  return content;
}
