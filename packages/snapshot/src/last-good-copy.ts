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
  /** Replaces the head alone, for the same contents. */
  saveHead(head: SignedHead): Promise<void>;
  /** Writes contents that a head to come needs. Until then, whatever is saved must name them as needed, or they are removed. */
  saveContents(contents: ReadonlyMap<Digest, Uint8Array>): Promise<void>;
  /** Writes contents, then the head, then removes what the head does not need. A crash in between leaves the copy before, or this one. */
  save(head: SignedHead, contents: ReadonlyMap<Digest, Uint8Array>, needed: DigestSet): Promise<void>;
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
    async save(head, contents, needed) {
      await saveContents(contents);
      await saveHead(head);
      const unneeded = (await readdir(chunkDirectory)).filter((name) => !digestName.test(name) || !needed.has(name));
      for (const name of unneeded) await rm(join(chunkDirectory, name), { force: true });
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
