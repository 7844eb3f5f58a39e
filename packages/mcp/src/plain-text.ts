import { endOfAsciiWords, endOfPlainWords } from './json-grammar.js';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const NO_WORDS = new Int32Array(0);
/** A text of so many words is likely to be long: then it pays to ask where it ends before looking at what it says. */
const NEAR_WORDS = 64;

/** Skips what is ordinary inside the strings of one piece, four bytes at a time, where they lie as processors like it. */
export class PlainText {
  /** Offset of the first word; the others follow at multiples of four. */
  start = 0;
  private chunk = new Uint8Array(0) as Uint8Array;
  private words = NO_WORDS;
  /** The next backslash that is known of. */
  private backslashAt = 0;

  take(chunk: Uint8Array): void {
    this.chunk = chunk;
    this.start = (4 - (chunk.byteOffset & 3)) & 3;
    const words = (chunk.length - this.start) >> 2;
    this.words = words > 0 ? new Int32Array(chunk.buffer as ArrayBuffer, chunk.byteOffset + this.start, words) : NO_WORDS;
    this.backslashAt = -1;
  }

  /** Where the words end that are ordinary characters of a string; `at` itself where none begins there. */
  end(at: number): number {
    const { words, start } = this;
    if (at < start || ((at - start) & 3) !== 0) return at;
    const first = (at - start) >> 2;
    const near = endOfPlainWords(words, first, Math.min(first + NEAR_WORDS, words.length));
    if (near < first + NEAR_WORDS) return start + (near << 2);
    const far = (this.nextOdd(start + (near << 2)) - start) >> 2;
    return start + (endOfAsciiWords(words, near, far) << 2);
  }

  /** The next quote or backslash, or the end of the piece. */
  private nextOdd(from: number): number {
    const { chunk } = this;
    // Looked for once for all strings before it.
    if (this.backslashAt < from) {
      const found = chunk.indexOf(BACKSLASH, from);
      this.backslashAt = found < 0 ? chunk.length : found;
    }
    const quoteAt = chunk.indexOf(QUOTE, from);
    return quoteAt < 0 ? this.backslashAt : Math.min(quoteAt, this.backslashAt);
  }
}
