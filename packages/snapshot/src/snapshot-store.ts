import type { Redis } from 'ioredis';
import { snapshotKeys, type Digest, type SignedHead } from '@portcullis/contracts/snapshot';
import { CHUNK_LIFETIME_S, HEAD_BYTES_MAX } from './limits.js';
import { parseSignedHead } from './signed-head.js';
import { SnapshotRefusal } from './snapshot-refusal.js';

/** The publisher's side of the distribution. Each call fails with the error of Redis, and may be repeated. */
export interface SnapshotStore {
  /** Writes those chunks that Redis lacks, and extends the life of the others. */
  putChunks(chunks: ReadonlyMap<Digest, Uint8Array>): Promise<void>;
  /** Which of these Redis has. */
  present(digests: Iterable<Digest>): Promise<ReadonlySet<Digest>>;
  /** Extends the life of these to another 24 hours; gives those that Redis has no more. */
  touch(digests: Iterable<Digest>): Promise<ReadonlySet<Digest>>;
  /** Stores the head and tells every node. Its chunks must be there before. */
  publishHead(head: SignedHead): Promise<void>;
  /** The head that lies in Redis, not verified; undefined where there is none, or something else. */
  readHead(): Promise<SignedHead | undefined>;
}

const COMMANDS_AT_ONCE = 256;

export function createSnapshotStore(redis: Redis): SnapshotStore {
  const where = async (digests: Iterable<Digest>, command: (digest: Digest) => ['exists', string] | ['expire', string, number], answer: number) => {
    const found = new Set<Digest>();
    for (const batch of batches([...digests])) {
      const answers = await run(redis, batch.map(command));
      batch.forEach((digest, at) => answers[at] === answer && found.add(digest));
    }
    return found;
  };
  const present = (digests: Iterable<Digest>) => where(digests, (digest) => ['exists', snapshotKeys.chunk(digest)], 1);
  const touch = (digests: Iterable<Digest>) => where(digests, (digest) => ['expire', snapshotKeys.chunk(digest), CHUNK_LIFETIME_S], 0);
  return {
    present,
    touch,
    async putChunks(chunks) {
      const missing = await touch(chunks.keys());
      for (const batch of batches([...missing])) {
        await run(
          redis,
          batch.map((digest) => ['set', snapshotKeys.chunk(digest), Buffer.from(chunks.get(digest) ?? []), 'EX', CHUNK_LIFETIME_S]),
        );
      }
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
