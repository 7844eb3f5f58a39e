import { mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest, SignedHead } from '@portcullis/contracts/snapshot';
import type { ReadContents } from './chunk-reader.js';
import { digestOf } from './content.js';
import { parseSignedHead } from './signed-head.js';
import { SnapshotRefusal } from './snapshot-refusal.js';

/** All that is asked of the digests of a snapshot. */
export type DigestSet = Pick<ReadonlySet<Digest>, 'has'>;

/** One snapshot on disk: its head, and every content under its digest. What is read back is verified like anything else. */
export interface LastGoodCopy {
  /** The head that was kept; undefined when there is none that can be read. */
  readHead(): Promise<SignedHead | undefined>;
  readonly readContents: ReadContents;
  /** Replaces the head; its contents are there. */
  saveHead(head: SignedHead): Promise<void>;
  /** Writes contents. A head that needs them is saved after them, so that a crash in between leaves the copy before. */
  saveContents(contents: ReadonlyMap<Digest, Uint8Array>): Promise<void>;
  /** Removes these contents, where they are there. */
  remove(digests: Iterable<Digest>): Promise<void>;
  /** Removes everything else, half-written files included: looks at all that is there. */
  removeAllBut(needed: DigestSet): Promise<void>;
}

/** Each takes several turns of an event loop that is busy reading what comes next. */
const FILES_AT_ONCE = 32;

const digestName = /^[0-9a-f]{64}$/;

export function createLastGoodCopy(directory: string): LastGoodCopy {
  const headFile = join(directory, 'head.json');
  const chunkDirectory = join(directory, 'chunks');
  const chunkFile = (digest: Digest): string => join(chunkDirectory, digest);
  const saveHead = (head: SignedHead): Promise<void> => replaceDurably(headFile, JSON.stringify(head));
  const saveContents = async (contents: ReadonlyMap<Digest, Uint8Array>): Promise<void> => {
    await mkdir(chunkDirectory, { recursive: true, mode: 0o700 });
    const queue = [...contents];
    const work = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const [digest, bytes] = next;
        await writeFile(`${chunkFile(digest)}.new`, bytes, { mode: 0o600 });
        await rename(`${chunkFile(digest)}.new`, chunkFile(digest));
      }
    };
    // All of them end before a failure is told, so that nobody tries again beside one that still writes.
    const ends = await Promise.allSettled(Array.from({ length: FILES_AT_ONCE }, work));
    const failure = ends.find((end) => end.status === 'rejected');
    if (failure !== undefined) throw failure.reason;
  };
  const remove = async (names: Iterable<string>): Promise<void> => {
    for (const name of names) await rm(chunkFile(name), { force: true });
  };
  return {
    saveHead,
    saveContents,
    async readHead() {
      const text = await readFile(headFile, 'utf8').catch(() => undefined);
      return text === undefined ? undefined : parseSignedHead(text);
    },
    async readContents(digests) {
      const found = new Map<Digest, Uint8Array>();
      for (const digest of digests) {
        const bytes = await readFile(chunkFile(digest)).catch(() => undefined);
        if (bytes === undefined) throw new SnapshotRefusal('chunk_missing', digest);
        if (digestOf(bytes) !== digest) throw new SnapshotRefusal('digest_mismatch', digest);
        found.set(digest, bytes);
      }
      return found;
    },
    remove,
    async removeAllBut(needed) {
      await remove((await readdir(chunkDirectory)).filter((name) => !digestName.test(name) || !needed.has(name)));
    },
  };
}

/** The head decides what the copy is, so it must be on the disk itself before its old contents go. */
async function replaceDurably(file: string, text: string): Promise<void> {
  const handle = await open(`${file}.new`, 'w', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${file}.new`, file);
}
