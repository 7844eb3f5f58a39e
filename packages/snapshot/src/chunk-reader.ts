import { snapshotKeys, type Digest } from '@portcullis/contracts/snapshot';
import { digestOf } from './content.js';
import type { SnapshotSource } from './follower.js';
import { CHUNK_BYTES_MAX } from './limits.js';
import type { RedisLink } from './redis-link.js';
import { SnapshotRefusal, type RefusalReason } from './snapshot-refusal.js';
import { within } from './within.js';

/** Gets contents by digest, every one verified; the bytes are the caller's alone. Throws a SnapshotRefusal when one cannot be had. */
export type ReadContents = (digests: readonly Digest[]) => Promise<ReadonlyMap<Digest, Uint8Array>>;

const REDIS_DEADLINE_MS = 2_000;
const CONTROL_PLANE_DEADLINE_MS = 5_000;
const REDIS_CHUNKS_AT_ONCE = 8;
const CONTROL_PLANE_CHUNKS_AT_ONCE = 8;

interface Search {
  readonly found: Map<Digest, Uint8Array>;
  /** What was wrong with bytes that came under a digest. */
  readonly faults: Map<Digest, RefusalReason>;
}

/** Reads from Redis, and from the control plane what Redis lacks or has wrong. `onBytes` is told how much came that was right. */
export function createChunkReader(redis: RedisLink, controlPlane: SnapshotSource | undefined, onBytes: (bytes: number) => void): ReadContents {
  return async (digests) => {
    const search: Search = { found: new Map(), faults: new Map() };
    await searchRedis(redis, digests, search);
    const missing = digests.filter((digest) => !search.found.has(digest));
    if (controlPlane !== undefined) await searchControlPlane(controlPlane, missing, search);
    const lost = missing.find((digest) => !search.found.has(digest));
    for (const bytes of search.found.values()) onBytes(bytes.length);
    if (lost !== undefined) throw new SnapshotRefusal(search.faults.get(lost) ?? 'chunk_missing', lost);
    return search.found;
  };
}

function accept(digest: Digest, bytes: Uint8Array, { found, faults }: Search): void {
  if (bytes.length > CHUNK_BYTES_MAX) faults.set(digest, 'chunk_too_large');
  else if (digestOf(bytes) !== digest) faults.set(digest, 'digest_mismatch');
  else found.set(digest, bytes);
}

/** A long reply has memory to itself, short ones lie in what others share. */
function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
}

async function searchRedis(redis: RedisLink, digests: readonly Digest[], search: Search): Promise<void> {
  for (let at = 0; at < digests.length; at += REDIS_CHUNKS_AT_ONCE) {
    const batch = digests.slice(at, at + REDIS_CHUNKS_AT_ONCE);
    const answers = await redis.ask(REDIS_DEADLINE_MS, async (client) => {
      const pipeline = client.pipeline();
      // A range, not the value: whatever somebody stored there, at most the size of a chunk comes over.
      for (const digest of batch) pipeline.getrangeBuffer(snapshotKeys.chunk(digest), 0, CHUNK_BYTES_MAX);
      return pipeline.exec();
    });
    if (!answers) return; // Redis is gone: the control plane is asked for the rest
    batch.forEach((digest, each) => {
      const bytes = answers[each]?.[1];
      if (bytes instanceof Uint8Array && bytes.length > 0) accept(digest, ownBytes(bytes), search);
    });
  }
}

async function searchControlPlane(source: SnapshotSource, digests: readonly Digest[], search: Search): Promise<void> {
  const queue = [...digests];
  let gone = false;
  const work = async (): Promise<void> => {
    for (let digest = queue.shift(); digest !== undefined && !gone; digest = queue.shift()) {
      const wanted = digest;
      try {
        const bytes = await within(CONTROL_PLANE_DEADLINE_MS, (signal) => source.fetchChunk(wanted, signal));
        if (bytes !== null) accept(wanted, new Uint8Array(bytes), search);
      } catch {
        gone = true; // one failure speaks for the rest: the next head tries again
      }
    }
  };
  await Promise.all(Array.from({ length: CONTROL_PLANE_CHUNKS_AT_ONCE }, work));
}
