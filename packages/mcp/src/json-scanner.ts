import { ESCAPED, isHexDigit, LITERALS, isWholeNumber, nextOfNumber, sequenceOf } from './json-grammar.js';
import { decodeKey } from './json-scan.js';
import { PlainText } from './plain-text.js';
import { TakenText } from './taken-text.js';

/** Told what a `JsonScanner` meets in its outer levels. Offsets are into the piece that is being pushed. */
export interface JsonListener {
  /** A value begins inside so many containers, under this key where it is an object's. True: its text is wanted, should it be no container. */
  value(depth: number, key: string, first: number, at: number): boolean;
  /** The text of a value that was wanted, as it is written; empty where it is longer than anybody could want. */
  scalar(depth: number, text: string): void;
  /** A container that began inside so many others has ended before this offset. */
  closed(depth: number, end: number): void;
}

const DEPTH_MAX = 10_000;
/** The listener is told of what lies in this many containers, and of nothing deeper. */
const DEPTH_TOLD = 2;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const BACKSLASH = 0x5c;

// What may come next.
const [VALUE, FIRST_ELEMENT, FIRST_KEY, KEY, COLON_DUE, AFTER, STRING, ESCAPE, HEX, SEQUENCE, NUMBER, LITERAL] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
];

/** Reads JSON piece by piece: exactly what `JSON.parse` takes for a whole is taken, however it is cut, up to 10,000 containers deep. */
export class JsonScanner {
  isFaulty = false;
  private state = VALUE;
  /** The open containers, outermost first; true is an object. */
  private readonly containers: boolean[] = [];
  private chunk: Uint8Array = new Uint8Array(0);
  private readonly plain = new PlainText();
  private key = '';
  private isKey = false;
  private literal = '';
  private missing = 0;
  private low = 0;
  private high = 0;
  private part = 0;
  private readonly taken = new TakenText();

  constructor(private readonly listener: JsonListener) {}

  /** Whether what was pushed is one whole value. */
  get isWhole(): boolean {
    return !this.isFaulty && this.state === AFTER && this.containers.length === 0;
  }

  /** Takes the next bytes; after a fault it takes nothing. */
  push(chunk: Uint8Array): void {
    this.chunk = chunk;
    this.plain.take(chunk);
    for (let at = 0; at < chunk.length && !this.isFaulty;) at = this.step(chunk[at] ?? 0, at);
    this.taken.carryOver(chunk);
  }

  /** Takes one byte, or more of the same kind; gives the offset of the next. */
  private step(byte: number, at: number): number {
    switch (this.state) {
      case STRING:
        return this.inString(at);
      case ESCAPE:
        return this.inEscape(byte, at);
      case HEX:
        return this.inHex(byte, at);
      case SEQUENCE:
        return this.inSequence(byte, at);
      case NUMBER:
        return this.inNumber(at);
      case LITERAL:
        return this.inLiteral(byte, at);
      default:
        return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09 ? at + 1 : this.between(byte, at);
    }
  }

  private between(byte: number, at: number): number {
    const { state } = this;
    if (state === VALUE) return this.begin(byte, at);
    if (state === FIRST_ELEMENT) return byte === CLOSE_BRACKET ? this.close(at) : this.begin(byte, at);
    if (state === FIRST_KEY && byte === CLOSE_BRACE) return this.close(at);
    if (state === FIRST_KEY || state === KEY) return byte === QUOTE ? this.beginKey(at) : this.fail(at);
    if (state === COLON_DUE) {
      if (byte !== COLON) return this.fail(at);
      this.state = VALUE;
      return at + 1;
    }
    const isObject = this.containers[this.containers.length - 1];
    if (isObject === undefined) return this.fail(at);
    if (byte === (isObject ? CLOSE_BRACE : CLOSE_BRACKET)) return this.close(at);
    if (byte !== COMMA) return this.fail(at);
    this.state = isObject ? KEY : VALUE;
    return at + 1;
  }

  private begin(byte: number, at: number): number {
    const depth = this.containers.length;
    const isWanted = depth <= DEPTH_TOLD && this.listener.value(depth, this.key, byte, at);
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      if (depth === DEPTH_MAX) return this.fail(at);
      this.containers.push(byte === OPEN_BRACE);
      this.state = byte === OPEN_BRACE ? FIRST_KEY : FIRST_ELEMENT;
      return at + 1;
    }
    if (isWanted) this.taken.begin(at);
    this.isKey = false;
    if (byte === QUOTE) this.state = STRING;
    else if ((this.part = nextOfNumber(0, byte)) > 0) this.state = NUMBER;
    else {
      const literal = LITERALS.get(byte);
      if (literal === undefined) return this.fail(at);
      this.literal = literal;
      this.missing = literal.length - 1;
      this.state = LITERAL;
    }
    return at + 1;
  }

  private beginKey(at: number): number {
    if (this.containers.length <= DEPTH_TOLD) this.taken.begin(at);
    this.isKey = true;
    this.state = STRING;
    return at + 1;
  }

  private close(at: number): number {
    this.containers.pop();
    this.state = AFTER;
    if (this.containers.length <= DEPTH_TOLD) this.listener.closed(this.containers.length, at + 1);
    return at + 1;
  }

  private inString(from: number): number {
    const { chunk } = this;
    let at = this.plain.end(from);
    for (; at < chunk.length; at += 1) {
      const byte = chunk[at] ?? 0;
      if (byte === QUOTE) return this.endString(at + 1);
      if (byte === BACKSLASH) {
        this.state = ESCAPE;
        return at + 1;
      }
      if (byte < 0x20) return this.fail(at);
      if (byte >= 0x80) {
        at = this.beginSequence(byte, at) - 1;
        if (this.state !== STRING || this.isFaulty) return at + 1;
      } else if (((at + 1 - this.plain.start) & 3) === 0) at = this.plain.end(at + 1) - 1;
    }
    return at;
  }

  private endString(end: number): number {
    if (!this.isKey) return this.endScalar(end);
    this.state = COLON_DUE;
    if (this.taken.isOpen) this.key = decodeKey(this.taken.end(this.chunk, end));
    return end;
  }

  private inEscape(byte: number, at: number): number {
    if (byte === 0x75) {
      this.missing = 4;
      this.state = HEX;
    } else if (ESCAPED.has(byte)) this.state = STRING;
    else return this.fail(at);
    return at + 1;
  }

  private inHex(byte: number, at: number): number {
    if (!isHexDigit(byte)) return this.fail(at);
    this.missing -= 1;
    if (this.missing === 0) this.state = STRING;
    return at + 1;
  }

  private beginSequence(lead: number, at: number): number {
    const { missing, low, high } = sequenceOf(lead);
    if (missing === 0) return this.fail(at);
    const { chunk } = this;
    const first = chunk[at + 1] ?? 0;
    // Nearly all: two or three bytes that lie together.
    if (missing < 3 && at + missing < chunk.length && first >= low && first <= high && (missing === 1 || ((chunk[at + 2] ?? 0) & 0xc0) === 0x80))
      return at + 1 + missing;
    this.missing = missing;
    this.low = low;
    this.high = high;
    this.state = SEQUENCE;
    return at + 1;
  }

  private inSequence(byte: number, at: number): number {
    if (byte < this.low || byte > this.high) return this.fail(at);
    this.low = 0x80;
    this.high = 0xbf;
    this.missing -= 1;
    if (this.missing === 0) this.state = STRING;
    return at + 1;
  }

  private inNumber(from: number): number {
    const { chunk } = this;
    let part = this.part;
    for (let at = from; at < chunk.length; at += 1) {
      const next = nextOfNumber(part, chunk[at] ?? 0);
      if (next === 0) return isWholeNumber(part) ? this.endScalar(at) : this.fail(at);
      part = next;
    }
    this.part = part;
    return chunk.length;
  }

  private inLiteral(byte: number, at: number): number {
    if (byte !== this.literal.charCodeAt(this.literal.length - this.missing)) return this.fail(at);
    this.missing -= 1;
    return this.missing === 0 ? this.endScalar(at + 1) : at + 1;
  }

  private endScalar(end: number): number {
    this.state = AFTER;
    if (this.taken.isOpen) this.listener.scalar(this.containers.length, this.taken.end(this.chunk, end));
    return end;
  }

  private fail(at: number): number {
    this.isFaulty = true;
    return at;
  }
}
