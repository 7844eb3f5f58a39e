import { ESCAPED, isPlain, isWholeNumber, nextOfNumber, sequenceOf } from './json-grammar.js';

/** A message that tells of progress, as the bytes it came in, and where in them the text of its token stands. */
export interface ProgressLine {
  readonly bytes: Uint8Array;
  readonly tokenStart: number;
  readonly tokenEnd: number;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const encoder = new TextEncoder();
const [JSONRPC, METHOD, PARAMS, TOKEN] = ['"jsonrpc"', '"method"', '"params"', '"progressToken"'].map((text) => encoder.encode(text)) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
];
const VERSION = encoder.encode('"2.0"');
const PROGRESS = encoder.encode('"notifications/progress"');

/**
 * Finds in a stream's messages those that tell of progress under one token, without making texts or values of them. What it finds is JSON with these
 * members only, each once: `jsonrpc`, `method` and `params` of texts and numbers. Any other message, however right, is left to who reads it as JSON.
 */
export class ProgressFinder {
  private readonly token: Uint8Array;
  private bytes: Uint8Array = new Uint8Array(0);
  private hasEscapes = false;
  private at = 0;
  private tokenStart = -1;

  constructor(token: string) {
    this.token = encoder.encode(JSON.stringify(token));
  }

  find(bytes: Uint8Array): ProgressLine | undefined {
    this.bytes = bytes;
    this.hasEscapes = bytes.includes(BACKSLASH);
    this.at = 0;
    this.tokenStart = -1;
    const isProgress = this.message() && this.next() === undefined && this.tokenStart >= 0;
    return isProgress ? { bytes, tokenStart: this.tokenStart, tokenEnd: this.tokenStart + this.token.length } : undefined;
  }

  /** The members of the message: each at most once, and the last two at all. */
  private message(): boolean {
    let [hasVersion, hasMethod, hasParams] = [false, false, false];
    return (
      this.members(() => {
        if (!hasVersion && this.takes(JSONRPC)) return (hasVersion = this.colon() && this.takes(VERSION));
        if (!hasMethod && this.takes(METHOD)) return (hasMethod = this.colon() && this.takes(PROGRESS));
        if (hasParams || !this.takes(PARAMS)) return false;
        return (hasParams = this.colon() && this.members(this.param));
      }) &&
      hasMethod &&
      hasParams
    );
  }

  private readonly param = (): boolean => {
    if (this.takes(TOKEN)) {
      if (this.tokenStart >= 0 || !this.colon()) return false;
      this.tokenStart = this.at;
      return this.takes(this.token);
    }
    // A name with escapes may be any name.
    if (!this.name()) return false;
    return this.colon() && (this.next() === QUOTE ? this.string() : this.number());
  };

  /** An object, of whose members the given function reads one. */
  private members(member: () => boolean): boolean {
    if (this.next() !== OPEN_BRACE) return false;
    do {
      this.at += 1;
      if (this.next() !== QUOTE || !member()) return false;
    } while (this.next() === COMMA);
    if (this.bytes[this.at] !== CLOSE_BRACE) return false;
    this.at += 1;
    return true;
  }

  /** The byte at hand once spaces are skipped; undefined at the end. */
  private next(): number | undefined {
    while (this.bytes[this.at] === 0x20) this.at += 1;
    return this.bytes[this.at];
  }

  private colon(): boolean {
    if (this.next() !== COLON) return false;
    this.at += 1;
    this.next();
    return true;
  }

  private takes(expected: Uint8Array): boolean {
    const { bytes, at } = this;
    for (let i = 0; i < expected.length; i += 1) if (bytes[at + i] !== expected[i]) return false;
    this.at = at + expected.length;
    return true;
  }

  private number(): boolean {
    let part = 0;
    for (;;) {
      const next = nextOfNumber(part, this.bytes[this.at] ?? 0);
      if (next === 0) return isWholeNumber(part);
      part = next;
      this.at += 1;
    }
  }

  private name(): boolean {
    for (this.at += 1; ; this.at += 1) {
      const byte = this.bytes[this.at] ?? 0;
      if (byte < 0x20 || byte >= 0x80 || byte === BACKSLASH) return false;
      if (byte === QUOTE) break;
    }
    this.at += 1;
    return true;
  }

  private string(): boolean {
    const { bytes } = this;
    if (bytes[this.at] !== QUOTE) return false;
    this.at += 1;
    if (!this.hasEscapes) {
      const end = bytes.indexOf(QUOTE, this.at);
      if (end < 0) return false;
      if (isPlain(bytes, this.at, end)) {
        this.at = end + 1;
        return true;
      }
    }
    return this.oddString();
  }

  /** The rest of a string that has escapes, or more than ASCII. */
  private oddString(): boolean {
    const { bytes } = this;
    for (;;) {
      const byte = bytes[this.at];
      if (byte === undefined || byte < 0x20) return false;
      if (byte >= 0x80) {
        if (!this.sequence(byte)) return false;
        continue;
      }
      this.at += 1;
      if (byte === QUOTE) return true;
      if (byte !== BACKSLASH) continue;
      if (!ESCAPED.has(bytes[this.at] ?? 0)) return false;
      this.at += 1;
    }
  }

  private sequence(lead: number): boolean {
    const { missing, low, high } = sequenceOf(lead);
    const first = this.bytes[this.at + 1] ?? 0;
    if (missing === 0 || first < low || first > high) return false;
    for (let i = 2; i <= missing; i += 1) if (((this.bytes[this.at + i] ?? 0) & 0xc0) !== 0x80) return false;
    this.at += missing + 1;
    return true;
  }
}
