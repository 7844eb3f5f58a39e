const BYTES_MAX = 1024;
const utf8 = new TextDecoder();

/** A short text that may come in pieces. */
export class TakenText {
  private readonly bytes = new Uint8Array(BYTES_MAX);
  private length = 0;
  private from = 0;
  isOpen = false;

  /** Begins a text at this offset of the piece at hand. */
  begin(at: number): void {
    this.isOpen = true;
    this.from = at;
    this.length = 0;
  }

  /** The piece at hand ends, and the text goes on in the next. */
  carryOver(chunk: Uint8Array): void {
    if (this.isOpen) this.keep(chunk.subarray(this.from));
    this.from = 0;
  }

  /** The text that ends before this offset; empty where it is longer than 1,024 bytes. */
  end(chunk: Uint8Array, at: number): string {
    this.isOpen = false;
    this.keep(chunk.subarray(this.from, at));
    return this.length > BYTES_MAX ? '' : utf8.decode(this.bytes.subarray(0, this.length));
  }

  private keep(part: Uint8Array): void {
    if (this.length + part.length <= BYTES_MAX) this.bytes.set(part, this.length);
    this.length += part.length;
  }
}
