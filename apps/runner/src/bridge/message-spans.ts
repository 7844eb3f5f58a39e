/** Where a value stands in the bytes of a message. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** What of a JSON-RPC message decides where it goes, as places in its bytes. */
export interface MessageSpans {
  readonly id: Span | undefined;
  readonly method: Span | undefined;
  readonly result: Span | undefined;
  readonly error: Span | undefined;
  /** `params._meta.progressToken`. */
  readonly token: Span | undefined;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/**
 * Finds the members of one JSON-RPC message without making values of it: what it carries may be megabytes that nobody here reads. Undefined where the
 * bytes are no JSON object by their outline, or have one of these members twice. What lies deeper is left to whoever reads it.
 */
export function readSpans(bytes: Buffer): MessageSpans | undefined {
  const outline = new Outline(bytes);
  try {
    return outline.message();
  } catch (error) {
    if (error === BROKEN) return undefined;
    throw error;
  }
}

/** The bytes with other text at these places, which are given in their order. */
export function replaceSpans(bytes: Buffer, changes: readonly { readonly at: Span; readonly text: string }[]): Buffer {
  const parts: Buffer[] = [];
  let from = 0;
  for (const { at, text } of changes) {
    parts.push(bytes.subarray(from, at.start), Buffer.from(text));
    from = at.end;
  }
  parts.push(bytes.subarray(from));
  return Buffer.concat(parts);
}

/** The text at a place. */
export const textAt = (bytes: Buffer, { start, end }: Span): string => bytes.toString('utf8', start, end);

const BROKEN = new Error('not a JSON object');

class Outline {
  private at = 0;
  private readonly found = new Map<string, Span>();

  constructor(private readonly bytes: Buffer) {}

  message(): MessageSpans {
    this.members((key) => {
      if (key === 'params' && this.peek() === OPEN_BRACE) this.params();
      else if (key === 'id' || key === 'method' || key === 'result' || key === 'error' || key === 'params') this.note(key);
      else this.value();
    });
    if (this.peek() !== undefined) throw BROKEN;
    const [id, method, result, error, token] = ['id', 'method', 'result', 'error', 'token'].map((name) => this.found.get(name));
    return { id, method, result, error, token };
  }

  private params(): void {
    if (this.found.has('params')) throw BROKEN;
    this.found.set('params', { start: this.at, end: this.at });
    this.members((key) => {
      if (key === '_meta' && this.peek() === OPEN_BRACE) this.members((inner) => (inner === 'progressToken' ? this.note('token') : this.value()));
      else this.value();
    });
  }

  private note(name: string): void {
    if (this.found.has(name)) throw BROKEN;
    this.peek();
    const start = this.at;
    this.value();
    this.found.set(name, { start, end: this.at });
  }

  /** An object, of whose members the given function reads each value. */
  private members(member: (key: string) => void): void {
    if (this.peek() !== OPEN_BRACE) throw BROKEN;
    this.at += 1;
    if (this.peek() === CLOSE_BRACE) {
      this.at += 1;
      return;
    }
    for (;;) {
      if (this.peek() !== QUOTE) throw BROKEN;
      const start = this.at;
      this.string();
      const key = this.bytes.toString('latin1', start + 1, this.at - 1);
      if (this.peek() !== COLON) throw BROKEN;
      this.at += 1;
      member(key.includes('\\') ? unescaped(key) : key);
      const next = this.peek();
      this.at += 1;
      if (next === CLOSE_BRACE) return;
      if (next !== COMMA) throw BROKEN;
    }
  }

  /** The byte at hand once white space is skipped; undefined at the end. */
  private peek(): number | undefined {
    for (;;) {
      const byte = this.bytes[this.at];
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return byte;
      this.at += 1;
    }
  }

  private value(): void {
    const byte = this.peek();
    if (byte === QUOTE) this.string();
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) this.container();
    else this.scalar();
  }

  private scalar(): void {
    const { bytes } = this;
    const start = this.at;
    for (;;) {
      const byte = bytes[this.at];
      if (byte === undefined || byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET || byte <= 0x20) break;
      if (byte === QUOTE || byte === OPEN_BRACE || byte === OPEN_BRACKET || byte === COLON) throw BROKEN;
      this.at += 1;
    }
    if (this.at === start) throw BROKEN;
  }

  private container(): void {
    const { bytes } = this;
    let depth = 0;
    for (;;) {
      const byte = bytes[this.at];
      if (byte === undefined) throw BROKEN;
      if (byte === QUOTE) {
        this.string();
        continue;
      }
      this.at += 1;
      if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth += 1;
      else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth -= 1;
      if (depth === 0) return;
    }
  }

  private string(): void {
    const { bytes } = this;
    for (let from = this.at + 1; ;) {
      const end = bytes.indexOf(QUOTE, from);
      if (end < 0) throw BROKEN;
      let before = end - 1;
      while (bytes[before] === BACKSLASH) before -= 1;
      this.at = end + 1;
      if ((end - before) % 2 === 1) return;
      from = end + 1;
    }
  }
}

function unescaped(key: string): string {
  try {
    return String(JSON.parse(`"${key}"`));
  } catch {
    throw BROKEN;
  }
}
