const HASH_BYTES = 32;
const RUN_BLOCKS = 256;

interface Run {
  readonly first: number;
  count: number;
  bytes: Buffer;
}

/** Hashes of blocks by their numbers, which mostly follow one another, in 32 to 64 bytes each: a year of a busy trail has three million. */
export class BlockHashes {
  private readonly runs: Run[] = [];

  /** `hash` in hex. The same number may come again, with another hash. */
  add(n: number, hash: string): void {
    const last = this.runs.at(-1);
    const run = last !== undefined && n === last.first + last.count ? last : this.begin(n);
    const at = run.count * HASH_BYTES;
    if (at === run.bytes.length) run.bytes = Buffer.concat([run.bytes], 2 * at);
    run.bytes.write(hash, at, HASH_BYTES, 'hex');
    run.count += 1;
  }

  /** Whether there is a block of this number with another hash. */
  hasOther(n: number, hash: string): boolean {
    const wanted = Buffer.from(hash, 'hex');
    return this.runs.some(({ first, count, bytes }) => {
      const at = (n - first) * HASH_BYTES;
      return n >= first && n < first + count && wanted.compare(bytes, at, at + HASH_BYTES) !== 0;
    });
  }

  private begin(first: number): Run {
    const run = { first, count: 0, bytes: Buffer.alloc(RUN_BLOCKS * HASH_BYTES) };
    this.runs.push(run);
    return run;
  }
}
