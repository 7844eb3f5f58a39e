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
import type { ReadContents } from './chunk-reader.js';
import { composeSnapshot } from './compose-snapshot.js';
import { decodeContent, type Schema } from './decode-content.js';
import { bucketIdOf } from './encode-chunk.js';
import { SNAPSHOT_BYTES_MAX } from './limits.js';
import type { BucketList, BucketUpdate, LoadedSnapshot } from './loaded-snapshot.js';
import { packServer } from './packed-definition.js';
import { SnapshotRefusal } from './snapshot-refusal.js';

/** Chunks asked for at once; between two such groups the total size is looked at. */
const CHUNKS_AT_ONCE = 64;

type OnRead = (contents: ReadonlyMap<Digest, Uint8Array>) => void;

interface Loading {
  readonly read: ReadContents;
  readonly onRead: OnRead;
  readonly previous: LoadedSnapshot | undefined;
  readonly sizes: Map<Digest, number>;
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
  const loading: Loading = { read, onRead, previous, sizes: new Map(), bytesTotal: 0 };
  const root = await loadRoot(loading, head);
  const buckets = {
    servers: await loadBucketList(loading, root, 'servers'),
    agents: await loadBucketList(loading, root, 'agents'),
    grants: await loadBucketList(loading, root, 'grants'),
  };
  const settings = await loadSettings(loading, root);
  const updates = {
    servers: await loadUpdates(loading, 'servers', buckets.servers, (bucket, bytes) =>
      decodeBucket(ServersChunk, 'servers', bucket, bytes).map(packServer),
    ),
    agents: await loadUpdates(loading, 'agents', buckets.agents, (bucket, bytes) => decodeBucket(AgentsChunk, 'agents', bucket, bytes)),
    grants: await loadUpdates(loading, 'grants', buckets.grants, (bucket, bytes) => decodeBucket(GrantsChunk, 'grants', bucket, bytes)),
  };
  return composeSnapshot({ head, root, buckets, settings, updates, sizes: loading.sizes }, previous);
}

async function loadRoot(loading: Loading, head: SnapshotHead): Promise<SnapshotRoot> {
  const { previous } = loading;
  const same = previous?.snapshot.rootDigest === head.rootDigest && carry(loading, head.rootDigest);
  const root = same ? previous.root : await fetchOne(loading, SnapshotRoot, head.rootDigest, 'root');
  if (root.schema > SNAPSHOT_SCHEMA_VERSION) throw new SnapshotRefusal('schema_newer');
  if (root.revision !== head.revision || root.schema !== head.schema) throw new SnapshotRefusal('chunk_misplaced', 'root');
  return root;
}

async function loadSettings(loading: Loading, root: SnapshotRoot): Promise<SettingsEntry> {
  const { previous } = loading;
  if (previous?.root.settings === root.settings && carry(loading, root.settings)) return previous.snapshot.settings;
  return (await fetchOne(loading, SettingsChunk, root.settings, 'settings')).settings;
}

async function loadBucketList(loading: Loading, root: SnapshotRoot, kind: ChunkKind): Promise<BucketList> {
  const list: (Digest | null)[] = [];
  for (const [index, digest] of root.indexes[kind].entries()) {
    const from = index * BUCKETS_PER_INDEX;
    if (digest === null) list.push(...Array.from({ length: BUCKETS_PER_INDEX }, () => null));
    else if (loading.previous?.root.indexes[kind][index] === digest && carry(loading, digest)) {
      list.push(...loading.previous.buckets[kind].slice(from, from + BUCKETS_PER_INDEX));
    } else {
      const content = await fetchOne(loading, SnapshotIndex, digest, `index ${index} of ${kind}`);
      if (content.kind !== kind || content.index !== index) throw new SnapshotRefusal('chunk_misplaced', `index ${index} of ${kind}`);
      list.push(...content.chunks);
    }
  }
  return list;
}

type Item = ServerEntry | AgentEntry | GrantEntry;
type ChunkSchema<Entry> = Schema<{ bucket: number; items: Entry[] }>;

async function loadUpdates<Entry extends Item>(
  loading: Loading,
  kind: ChunkKind,
  list: BucketList,
  decode: (bucket: number, bytes: Uint8Array) => readonly Entry[],
): Promise<readonly BucketUpdate<Entry>[]> {
  const updates: BucketUpdate<Entry>[] = [];
  const wanted: { bucket: number; digest: Digest }[] = [];
  for (let bucket = 0; bucket < BUCKETS_PER_KIND; bucket += 1) {
    const digest = list[bucket] ?? null;
    const before = loading.previous?.buckets[kind][bucket] ?? null;
    if (digest !== null && digest === before) carry(loading, digest);
    else if (digest !== null) wanted.push({ bucket, digest });
    else if (before !== null) updates.push({ bucket, items: [] });
  }
  const breath = new Breath();
  for (let at = 0; at < wanted.length; at += CHUNKS_AT_ONCE) {
    const group = wanted.slice(at, at + CHUNKS_AT_ONCE);
    const contents = await fetchAll(loading, group);
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

/** Takes a content over from the snapshot before; false when it was no part of it. */
function carry(loading: Loading, digest: Digest): boolean {
  const bytes = loading.previous?.sizes.get(digest);
  if (bytes !== undefined) account(loading, digest, bytes);
  return bytes !== undefined;
}

function account(loading: Loading, digest: Digest, bytes: number): void {
  if (!loading.sizes.has(digest)) loading.bytesTotal += bytes;
  loading.sizes.set(digest, bytes);
  if (loading.bytesTotal > SNAPSHOT_BYTES_MAX) throw new SnapshotRefusal('snapshot_too_large', `more than ${SNAPSHOT_BYTES_MAX} bytes`);
}

async function fetchAll(loading: Loading, wanted: readonly { digest: Digest }[]): Promise<ReadonlyMap<Digest, Uint8Array>> {
  const contents = await loading.read(wanted.map(({ digest }) => digest));
  for (const [digest, bytes] of contents) account(loading, digest, bytes.length);
  return contents;
}

async function fetchOne<Content>(loading: Loading, schema: Schema<Content>, digest: Digest, what: string): Promise<Content> {
  const contents = await fetchAll(loading, [{ digest }]);
  const content = decodeContent(schema, contents.get(digest) ?? new Uint8Array(), what);
  loading.onRead(contents);
  return content;
}
