/** What a piece of JSON between quotes says, and where each character of it is written. */
export interface DecodedString {
  readonly text: string;
  /** The offset in the piece at which the character at this place begins; of the place behind the last, where the piece ends. */
  readonly offsetOf: (place: number) => number;
}

/** Never throws: an escape that is none, or is cut off, stands for itself. */
export function decodeString(piece: string): DecodedString {
  if (!piece.includes('\\')) return { text: piece, offsetOf: (place) => place };
  let offsets: readonly number[] | undefined;
  const offsetOf = (place: number): number => (offsets ??= offsetsOf(piece))[place] ?? piece.length;
  return { text: piece.replaceAll(ESCAPE, unescaped), offsetOf };
}

const ESCAPE = /\\(?:u[0-9a-fA-F]{4}|["\\/bfnrt])/g;
const SIMPLE: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

function unescaped(escape: string): string {
  if (escape.length > 2) return String.fromCharCode(Number.parseInt(escape.slice(2), 16));
  const character = escape.charAt(1);
  return SIMPLE[character] ?? character;
}

function offsetsOf(piece: string): number[] {
  const offsets: number[] = [];
  let at = 0;
  for (const { index, 0: escape } of piece.matchAll(ESCAPE)) {
    for (; at < index; at += 1) offsets.push(at);
    offsets.push(at);
    at += escape.length;
  }
  for (; at <= piece.length; at += 1) offsets.push(at);
  return offsets;
}
