import { closeSync, openSync, readSync } from 'node:fs';
import { decodeFrames, type Frame } from './frame.js';

/** So far apart lie the places from which a segment can be read, so that a few events cost no look at all the others. */
const MARK_EVERY_BYTES = 64 * 1024;

/** One file of a spool, and where in it which frames lie. */
export class Segment {
  lastSeq: number;
  bytes = 0;
  private readonly marks: { readonly seq: number; readonly at: number }[] = [];

  constructor(
    readonly path: string,
    readonly firstSeq: number,
  ) {
    this.lastSeq = firstSeq - 1;
  }

  /** Notes that so many consecutive frames now stand at its end. */
  grow(firstSeq: number, frames: number, bytes: number): void {
    const last = this.marks.at(-1);
    if (last === undefined || this.bytes - last.at >= MARK_EVERY_BYTES) this.marks.push({ seq: firstSeq, at: this.bytes });
    this.bytes += bytes;
    this.lastSeq = firstSeq + frames - 1;
  }

  /** Its frames from one number through another, oldest first, in pieces that are read when they are asked for. */
  *frames(fromSeq: number, throughSeq: number): Generator<Frame[]> {
    if (this.lastSeq < fromSeq || this.firstSeq > throughSeq) return;
    const fd = this.open();
    if (fd === undefined) return;
    try {
      for (const [place, mark] of this.marks.entries()) {
        const next = this.marks[place + 1];
        if (mark.seq > throughSeq) return;
        if (next !== undefined && next.seq <= fromSeq) continue;
        const { frames } = decodeFrames(readRange(fd, mark.at, next?.at ?? this.bytes));
        yield frames.filter(({ seq }) => seq >= fromSeq && seq <= throughSeq);
      }
    } finally {
      closeSync(fd);
    }
  }

  /** Undefined where somebody has taken the file away. */
  private open(): number | undefined {
    try {
      return openSync(this.path, 'r');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
  }
}

/** The bytes of a file between two places; fewer where it ends before. */
export function readRange(fd: number, from: number, to: number): Buffer {
  const bytes = Buffer.allocUnsafe(to - from);
  let filled = 0;
  while (filled < bytes.length) {
    const read = readSync(fd, bytes, filled, bytes.length - filled, from + filled);
    if (read === 0) break;
    filled += read;
  }
  return bytes.subarray(0, filled);
}
