const PREFIX_BYTES = 4;

/** Looks for very many texts at once, each of four bytes at least: one pass, however many they are. */
export class NeedleSearch {
  private readonly begins = new Uint8Array(1 << 16);
  private readonly byPrefix = new Map<number, Buffer[]>();

  constructor(needles: readonly string[]) {
    for (const needle of needles.map((text) => Buffer.from(text))) {
      if (needle.length < PREFIX_BYTES) throw new Error('Too short to be looked for');
      const prefix = needle.readInt32BE(0);
      this.begins[slotOf(prefix)] = 1;
      this.byPrefix.set(prefix, [...(this.byPrefix.get(prefix) ?? []), needle]);
    }
  }

  /** Which of them lie in there. */
  in(bytes: Buffer): Set<string> {
    const found = new Set<string>();
    let last = 0;
    for (let at = 0; at < bytes.length; at += 1) {
      last = (last << 8) | (bytes[at] ?? 0);
      if (this.begins[slotOf(last)] === 0) continue;
      const start = at - PREFIX_BYTES + 1;
      for (const needle of this.byPrefix.get(last) ?? [])
        if (needle.equals(bytes.subarray(start, start + needle.length))) found.add(needle.toString());
    }
    return found;
  }
}

const slotOf = (prefix: number): number => (prefix ^ (prefix >>> 16)) & 0xffff;
