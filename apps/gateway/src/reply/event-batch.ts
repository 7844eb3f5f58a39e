import type { ProgressLine } from '@portcullis/mcp';

/** Memory of batches that were written, for the next ones: to allocate so much for each would be a collection's work. */
const spares: Buffer[] = [];
const SPARES_MAX = 16;
/** Holds what is read from a server at once, 64 KiB, and the texts around it. */
const SPARE_BYTES = 80 * 1024;
const SMALL_BYTES = 2 * 1024;
const NONE = Buffer.alloc(0);
const HEAD = Buffer.from('event: message\ndata: ');
const TAIL = Buffer.from('\n\n');

/** Messages of a stream on their way to a reader, one event each, as the bytes of one write. */
export class EventBatch {
  private bytes: Buffer = NONE;
  private length = 0;

  get isEmpty(): boolean {
    return this.length === 0;
  }

  addText(message: string): void {
    this.reserve(HEAD.length + Buffer.byteLength(message) + TAIL.length);
    this.add(HEAD);
    this.length += this.bytes.write(message, this.length);
    this.add(TAIL);
  }

  /** The same of progress that is bytes already, with this in place of its token; they are copied. */
  addProgress({ bytes, tokenStart, tokenEnd }: ProgressLine, token: Uint8Array): void {
    this.reserve(HEAD.length + bytes.length + token.length + TAIL.length);
    this.add(HEAD);
    const start = this.length;
    this.bytes.set(bytes, start);
    const tokenAt = start + tokenStart;
    this.length += bytes.length + token.length - (tokenEnd - tokenStart);
    if (token.length !== tokenEnd - tokenStart) this.bytes.copyWithin(tokenAt + token.length, start + tokenEnd, start + bytes.length);
    this.bytes.set(token, tokenAt);
    this.add(TAIL);
  }

  /** What was added, and what to call once it is written. The batch is empty then. */
  take(): [bytes: Buffer, onWritten: (error?: Error | null) => void] {
    const { bytes, length } = this;
    this.bytes = NONE;
    this.length = 0;
    const onWritten = (error?: Error | null): void => {
      if (!error && bytes.length === SPARE_BYTES && spares.length < SPARES_MAX) spares.push(bytes);
    };
    if (length > bytes.length / 4) return [bytes.subarray(0, length), onWritten];
    // Readers may be slow: what waits for them takes little more memory than it is long.
    const exact = Buffer.from(bytes.subarray(0, length));
    onWritten();
    return [exact, () => undefined];
  }

  private add(piece: Uint8Array): void {
    this.bytes.set(piece, this.length);
    this.length += piece.length;
  }

  private reserve(more: number): void {
    const needed = this.length + more;
    if (needed <= this.bytes.length) return;
    const grown = memoryFor(needed);
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }
}

/** A single small message gets what it needs, several share what most batches need. */
function memoryFor(bytes: number): Buffer {
  if (bytes <= SMALL_BYTES) return Buffer.allocUnsafe(SMALL_BYTES);
  return bytes <= SPARE_BYTES ? (spares.pop() ?? Buffer.allocUnsafeSlow(SPARE_BYTES)) : Buffer.allocUnsafeSlow(bytes * 2);
}
