import type { Redis } from 'ioredis';
import { snapshotKeys, type Digest, type SignedHead } from '@portcullis/contracts/snapshot';
import type { Encoded } from './content.js';
import { CHUNK_LIFETIME_S, HEAD_BYTES_MAX } from './limits.js';
import { parseSignedHead } from './signed-head.js';
import { SnapshotRefusal } from './snapshot-refusal.js';

/** The publisher's side of the distribution. Each call fails with the error of Redis, and may be repeated. */
export interface SnapshotStore {
  /** Writes those chunks that Redis lacks, and extends the life of the others. */
  putChunks(chunks: ReadonlyMap<Digest, Uint8Array>): Promise<void>;
  /** Extends the life of these to another 24 hours; gives those that Redis has no more. */
  touch(digests: Iterable<Digest>): Promise<ReadonlySet<Digest>>;
  /**
   * Writes contents, then the head, and tells every node, in one round trip where the contents are few. False, and no head, where Redis lacks any of
   * `needed`.
   */
  publish(head: SignedHead, contents: readonly Encoded[], needed: readonly Digest[]): Promise<boolean>;
  /** Stores the head and tells every node. Its chunks must be there before. */
  publishHead(head: SignedHead): Promise<void>;
  /** The head that lies in Redis, not verified; undefined where there is none, or something else. */
  readHead(): Promise<SignedHead | undefined>;
}

const COMMANDS_AT_ONCE = 256;

const PUBLISH_WHERE_ALL_IS = `
  if #KEYS > 1 and redis.call('EXISTS', unpack(KEYS, 2)) < #KEYS - 1 then return 0 end
  redis.call('SET', KEYS[1], ARGV[1])
  redis.call('PUBLISH', ARGV[2], ARGV[1])
  return 1`;

const setChunk = (digest: Digest, bytes: Uint8Array): readonly unknown[] => {
  const { buffer, byteOffset, byteLength } = bytes;
  return ['set', snapshotKeys.chunk(digest), Buffer.from(buffer, byteOffset, byteLength), 'EX', CHUNK_LIFETIME_S];
};

export function createSnapshotStore(redis: Redis): SnapshotStore {
  const touch = async (digests: Iterable<Digest>): Promise<ReadonlySet<Digest>> => {
    const gone = new Set<Digest>();
    for (const batch of batches([...digests])) {
      const answers = await run(
        redis,
        batch.map((digest) => ['expire', snapshotKeys.chunk(digest), CHUNK_LIFETIME_S]),
      );
      batch.forEach((digest, at) => answers[at] === 0 && gone.add(digest));
    }
    return gone;
  };
  return {
    touch,
    async putChunks(chunks) {
      const missing = await touch(chunks.keys());
      for (const batch of batches([...missing])) {
        await run(
          redis,
          batch.map((digest) => setChunk(digest, chunks.get(digest) ?? new Uint8Array())),
        );
      }
    },
    async publish(head, contents, needed) {
      const commands: (readonly unknown[])[] = contents.map(({ digest, bytes }) => setChunk(digest, bytes));
      while (commands.length > COMMANDS_AT_ONCE) await run(redis, commands.splice(0, COMMANDS_AT_ONCE));
      const keys = [snapshotKeys.head, ...needed.map(snapshotKeys.chunk)];
      const answers = await run(redis, [
        ...commands,
        ['eval', PUBLISH_WHERE_ALL_IS, keys.length, ...keys, JSON.stringify(head), snapshotKeys.channel],
      ]);
      return answers.at(-1) === 1;
    },
    async publishHead(head) {
      const text = JSON.stringify(head);
      await run(redis, [
        ['set', snapshotKeys.head, text],
        ['publish', snapshotKeys.channel, text],
      ]);
    },
    async readHead() {
      const [text] = await run(redis, [['getrange', snapshotKeys.head, 0, HEAD_BYTES_MAX]]).catch(ignoringWrongType);
      return typeof text === 'string' && text !== '' ? readable(text) : undefined;
    },
  };
}

function ignoringWrongType(error: unknown): readonly unknown[] {
  if (error instanceof Error && error.message.startsWith('WRONGTYPE')) return [];
  throw error;
}

function readable(text: string): SignedHead | undefined {
  try {
    return parseSignedHead(text);
  } catch (error) {
    if (error instanceof SnapshotRefusal) return undefined;
    throw error;
  }
}

function batches<Item>(items: readonly Item[]): readonly (readonly Item[])[] {
  return Array.from({ length: Math.ceil(items.length / COMMANDS_AT_ONCE) }, (_, at) =>
    items.slice(at * COMMANDS_AT_ONCE, (at + 1) * COMMANDS_AT_ONCE),
  );
}

/** One round trip; the first command that failed fails all. */
async function run(redis: Redis, commands: readonly (readonly unknown[])[]): Promise<readonly unknown[]> {
  const answers = (await redis.pipeline(commands.map((command) => [...command])).exec()) ?? [];
  return answers.map(([error, answer]) => {
    if (error !== null) throw error;
    return answer;
  });
}
