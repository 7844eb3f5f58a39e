import { close, closeSync, fdatasync, fstatSync, ftruncateSync, mkdirSync, openSync, readFileSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { decodeFrames, joinFrames, type Frame } from './frame.js';
import { readRange, Segment } from './segment.js';

export interface SpoolLimits {
  readonly segmentBytes: number;
  readonly quotaBytes: number;
}

/** The spool has no room left, or its disk took only part of a record. */
export class SpoolFull extends Error {
  override readonly name = 'SpoolFull';
}

const syncFile = (fd: number): Promise<void> => new Promise((resolve, reject) => fdatasync(fd, (error) => (error ? reject(error) : resolve())));

const SEGMENT_NAME = /^(\d{16})\.seg$/;

/**
 * The append-only record of one boot: segments of frames in a folder of their own. What `append` returned for
 * survives the death of the process; a record is either whole or absent.
 */
export class Spool {
  private fd = -1;
  private total: number;
  /** Resolves when the segments before the current one are on the disk. */
  private earlierSynced: Promise<void> = Promise.resolve();

  private constructor(
    private readonly directory: string,
    private readonly limits: SpoolLimits,
    private readonly segments: Segment[],
  ) {
    this.total = segments.reduce((sum, segment) => sum + segment.bytes, 0);
  }

  static create(directory: string, limits: SpoolLimits): Spool {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    return new Spool(directory, limits, []);
  }

  /** Reopens what an earlier boot left. A torn tail is dropped: it was never promised to anybody. */
  static reopen(directory: string, limits: SpoolLimits): Spool {
    const names = readdirSync(directory).filter((name) => SEGMENT_NAME.test(name));
    const segments = names.sort().flatMap((name) => {
      const path = join(directory, name);
      const { frames } = decodeFrames(readFileSync(path));
      const [first] = frames;
      if (first === undefined) return [];
      const segment = new Segment(path, first.seq);
      for (const { seq, bytes } of frames) segment.grow(seq, 1, bytes.length);
      return [segment];
    });
    return new Spool(directory, limits, segments);
  }

  get bytes(): number {
    return this.total;
  }

  get lastSeq(): number {
    return this.segments.at(-1)?.lastSeq ?? 0;
  }

  get firstSeq(): number {
    return this.segments[0]?.firstSeq ?? 0;
  }

  /** Hands consecutive frames to the kernel. Throws `SpoolFull`, or the disk's own error, with nothing kept of them. */
  append(frames: readonly Buffer[], firstSeq: number): void {
    const bytes = joinFrames(frames);
    if (this.total + bytes.length > this.limits.quotaBytes) throw new SpoolFull('The spool has reached its quota');
    const segment = this.segmentFor(bytes.length, firstSeq);
    let written: number;
    try {
      written = writeSync(this.fd, bytes, 0, bytes.length, segment.bytes);
    } catch (error) {
      this.dropIfEmpty(segment);
      throw error;
    }
    if (written < bytes.length) {
      // A full disk takes a part first and reports an error only on the next write.
      ftruncateSync(this.fd, segment.bytes);
      this.dropIfEmpty(segment);
      throw new SpoolFull(`The disk took ${written} of ${bytes.length} bytes`);
    }
    segment.grow(firstSeq, frames.length, bytes.length);
    this.total += bytes.length;
  }

  /** Resolves when everything appended so far is on the disk itself. */
  async sync(): Promise<void> {
    const { fd, earlierSynced } = this;
    await Promise.all([earlierSynced, fd === -1 ? undefined : syncFile(fd)]);
  }

  /**
   * Whether somebody deleted the segment that is written: nobody would find again what it holds. It is written anew then, in a folder of its own again;
   * where that fails the disk's error is thrown, and the next record begins another segment.
   */
  restore(): boolean {
    const current = this.segments.at(-1);
    if (this.fd === -1 || current === undefined || fstatSync(this.fd).nlink > 0) return false;
    const lost = this.fd;
    this.fd = -1;
    try {
      const bytes = readRange(lost, 0, current.bytes);
      mkdirSync(this.directory, { recursive: true, mode: 0o700 });
      const fd = openSync(current.path, 'w+', 0o600);
      if (writeSync(fd, bytes) < bytes.length) {
        closeSync(fd);
        throw new SpoolFull('The disk took only part of a segment');
      }
      this.fd = fd;
    } finally {
      closeSync(lost);
    }
    return true;
  }

  /** Frames from `seq` on, oldest first, in pieces that are read when they are asked for. */
  *framesFrom(seq: number, throughSeq = Number.POSITIVE_INFINITY): Generator<Frame[]> {
    for (const segment of this.segments.slice()) yield* segment.frames(seq, throughSeq);
  }

  /** Deletes the segments that hold nothing after `seq`. The one being written stays open until the next begins. */
  deleteThrough(seq: number): void {
    while (this.segments[0] && this.segments[0].lastSeq <= seq && (this.segments.length > 1 || this.fd === -1)) {
      const [segment] = this.segments.splice(0, 1);
      if (!segment) return;
      this.total -= segment.bytes;
      rmSync(segment.path, { force: true });
    }
  }

  close(): void {
    if (this.fd !== -1) closeSync(this.fd);
    this.fd = -1;
  }

  /** Removes the whole folder, once all of it is in Postgres. */
  remove(): void {
    this.close();
    rmSync(this.directory, { recursive: true, force: true });
  }

  private segmentFor(bytes: number, firstSeq: number): Segment {
    const current = this.segments.at(-1);
    if (current && this.fd !== -1 && current.bytes + bytes <= this.limits.segmentBytes) return current;
    const path = join(this.directory, `${String(firstSeq).padStart(16, '0')}.seg`);
    mkdirSync(this.directory, { recursive: true, mode: 0o700 }); // it may be gone, with what was in it
    const fd = openSync(path, 'w+', 0o600);
    this.leaveSegment();
    this.fd = fd;
    const segment = new Segment(path, firstSeq);
    this.segments.push(segment);
    return segment;
  }

  private leaveSegment(): void {
    const { fd } = this;
    if (fd === -1) return;
    const synced = syncFile(fd).finally(() => close(fd));
    this.earlierSynced = Promise.all([this.earlierSynced, synced]).then(() => undefined);
    this.earlierSynced.catch(() => undefined);
  }

  private dropIfEmpty(segment: Segment): void {
    if (segment.bytes > 0) return;
    this.close();
    this.segments.pop();
    rmSync(segment.path, { force: true });
  }
}
