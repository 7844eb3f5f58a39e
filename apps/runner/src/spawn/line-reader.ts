const LF = 0x0a;
const CR = 0x0d;

/** What a `LineReader` tells. */
export interface LineListener {
  /** A line without its end; it may lie in the bytes that were pushed last, and holds until others are. */
  line(bytes: Buffer): void;
  /** A line over the limit began; it is skipped up to its end. */
  tooLong(): void;
}

/** Cuts a stream into lines. Of a line over the limit nothing is kept. */
export class LineReader {
  private parts: Buffer[] = [];
  private length = 0;
  private skips = false;

  constructor(
    private readonly bytesMax: number,
    private readonly listener: LineListener,
  ) {}

  push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, start)) {
      this.end(chunk.subarray(start, end));
      start = end + 1;
    }
    if (start < chunk.length) this.keep(chunk.subarray(start));
  }

  private keep(rest: Buffer): void {
    if (this.skips) return;
    if (this.length + rest.length > this.bytesMax) return this.skip();
    // A copy: the rest may be a few bytes of a chunk that would be held whole.
    this.parts.push(Buffer.from(rest));
    this.length += rest.length;
    // A child that writes byte by byte must not pile up objects.
    if (this.parts.length > 1024) this.parts = [Buffer.concat(this.parts)];
  }

  private skip(): void {
    this.skips = true;
    this.forget();
    this.listener.tooLong();
  }

  private end(tail: Buffer): void {
    if (this.skips) {
      this.skips = false;
      return;
    }
    if (this.length + tail.length > this.bytesMax) {
      this.forget();
      this.listener.tooLong();
      return;
    }
    const line = this.parts.length === 0 ? tail : Buffer.concat([...this.parts, tail]);
    this.forget();
    this.listener.line(line.at(-1) === CR ? line.subarray(0, -1) : line);
  }

  private forget(): void {
    this.parts = [];
    this.length = 0;
  }
}
