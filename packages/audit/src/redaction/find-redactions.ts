import { decodeString } from './decode-string.js';
import { follow, isReplaced, type PathNode } from './redaction-paths.js';
import { isSecretName } from './secret-names.js';
import { joined, mayHoldSecret, secretsIn, type FoundSecret } from './secret-shapes.js';
import type { TextPatterns } from './text-patterns.js';

/** A part of a JSON text, and what is written in its place. */
export interface Redaction {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly kind: string;
}

export interface RedactionOptions {
  /** Where configured paths lead from the root. */
  readonly paths: readonly PathNode[];
  /** Part of the caller's own key, wherever it stands. */
  readonly ownSecret: string | undefined;
  /** The text goes on where it ends here: a secret at its end may be the beginning of a longer one. */
  readonly cut: boolean;
  /** Whether what is known for a secret by its shape, or by the name of its field, is looked for. */
  readonly secrets: boolean;
  /** What else is looked for, in texts and names. */
  readonly texts?: TextPatterns | undefined;
}

/** JSON within a text within JSON is read so deep. */
const DEPTH_MAX = 3;

const marker = (kind: string): string => `[redacted:${kind}]`;

/** What is to be replaced in a JSON text, in order. Takes time in proportion to its length, whatever it is. */
export const findRedactions = (json: string, options: RedactionOptions): Redaction[] => new JsonScan(json, options, 0).run();

/** What is to be replaced in a text that is no JSON. */
export function findInText(text: string, { ownSecret, cut, secrets, texts }: Omit<RedactionOptions, 'paths'>): FoundSecret[] {
  const found = secrets && mayHoldSecret(text) ? secretsIn(text, cut) : [];
  const named = texts?.findIn(text) ?? [];
  if (named.length === 0 && (ownSecret === undefined || !text.includes(ownSecret))) return found;
  found.push(...named);
  if (ownSecret !== undefined)
    for (let at = text.indexOf(ownSecret); at >= 0; at = text.indexOf(ownSecret, at + ownSecret.length))
      found.push({ start: at, end: at + ownSecret.length, kind: 'portcullis-key' });
  return joined(found);
}

interface Frame {
  readonly isArray: boolean;
  readonly nodes: readonly PathNode[];
  index: number;
}

class JsonScan {
  private at = 0;
  private nextBackslash = -1;
  private readonly found: Redaction[] = [];
  private readonly frames: Frame[] = [];

  constructor(
    private readonly json: string,
    private readonly options: RedactionOptions,
    private readonly depth: number,
  ) {}

  run(): Redaction[] {
    const { json, frames } = this;
    while (this.at < json.length) {
      const character = json.charAt(this.at);
      const frame = frames.at(-1);
      if (character === ',' && frame !== undefined) frame.index += 1;
      if (character === '}' || character === ']') frames.pop();
      if (BETWEEN.has(character)) this.at += 1;
      else if (frame === undefined) this.value(this.options.paths, undefined);
      else if (frame.isArray) this.element(frame);
      else if (character === '"') this.member(frame);
      else this.at += 1;
    }
    return this.found;
  }

  private element({ nodes, index }: Frame): void {
    const inner = nodes.length === 0 ? nodes : follow(nodes, String(index));
    this.value(inner, isReplaced(inner) ? 'path' : undefined);
  }

  private member({ nodes }: Frame): void {
    const { json } = this;
    const end = this.stringEnd();
    const name = this.text(this.at + 1, end, { isKey: true, nodes: [] });
    this.at = end + 1;
    while (this.at < json.length && BLANK.has(json.charAt(this.at))) this.at += 1;
    if (this.at >= json.length) return;
    const inner = follow(nodes, name);
    this.value(inner, isReplaced(inner) ? 'path' : this.options.secrets && isSecretName(name) ? 'field' : undefined);
  }

  /** The value that begins here; all of it is secret where `kind` says so. */
  private value(nodes: readonly PathNode[], kind: 'path' | 'field' | undefined): void {
    const { json, at } = this;
    const character = json.charAt(at);
    if (kind !== undefined) return this.wholeValue(kind);
    if (character === '"') {
      const end = this.stringEnd();
      this.text(at + 1, end, { isKey: false, nodes });
      this.at = end + 1;
    } else if (character === '{' || character === '[') {
      this.frames.push({ isArray: character === '[', nodes, index: 0 });
      this.at += 1;
    } else this.at = this.literalEnd();
  }

  private wholeValue(kind: 'path' | 'field'): void {
    const { json, at: start } = this;
    const character = json.charAt(start);
    if (character === '"') this.at = Math.min(this.stringEnd() + 1, json.length);
    else if (character === '{' || character === '[') this.skipNested();
    else this.at = this.literalEnd();
    const isNothing = kind === 'field' && SAYS_NOTHING.has(json.slice(start, Math.min(this.at, start + LONGEST_NOTHING + 1)));
    if (!isNothing && this.at > start) this.found.push({ start, end: this.at, text: `"${marker(kind)}"`, kind });
  }

  private skipNested(): void {
    let open = 0;
    do {
      const character = this.json.charAt(this.at);
      if (character === '"') this.at = this.stringEnd();
      else if (character === '{' || character === '[') open += 1;
      else if (character === '}' || character === ']') open -= 1;
      this.at += 1;
    } while (open > 0 && this.at < this.json.length);
    this.at = Math.min(this.at, this.json.length);
  }

  /** Looks for secrets in a string, given without its quotes, and into JSON that it holds. Gives what it says. */
  private text(start: number, end: number, { isKey, nodes }: { isKey: boolean; nodes: readonly PathNode[] }): string {
    const { json, options, found } = this;
    const piece = json.slice(start, end);
    const hasNone = !mayHoldSecret(piece) && !holds(piece, options.ownSecret) && options.texts?.mayBeIn(piece) !== true;
    if (!isKey && nodes.length === 0 && hasNone) return piece;
    const { text, offsetOf } = decodeString(piece);
    if (isKey && hasNone) return text;
    const cut = options.cut && end >= json.length;
    for (const one of this.inside(text, { ...options, paths: nodes, cut }, isKey))
      found.push({ ...one, start: start + offsetOf(one.start), end: start + offsetOf(one.end), text: JSON.stringify(one.text).slice(1, -1) });
    return text;
  }

  /** What is to be replaced in what a string says. */
  private inside(text: string, options: RedactionOptions, isKey: boolean): Redaction[] {
    const shaped = findInText(text, options).map(({ start, end, kind }) => ({ start, end, text: marker(kind), kind }));
    if (isKey || this.depth >= DEPTH_MAX || !BEGINS_AS_JSON.test(text)) return shaped;
    const fields = new JsonScan(text, options, this.depth + 1).run();
    // It may only look like JSON: what its shape tells counts as well, unless it lies in what is replaced already.
    const outer = shaped.filter(
      (shape) => !fields.some(({ start, end }) => start < shape.end && end > shape.start && !isWithin({ start, end }, shape)),
    );
    return [...fields.filter((field) => !outer.some((shape) => isWithin(field, shape))), ...outer].sort((a, b) => a.start - b.start);
  }

  /** Of the string that begins here: where its closing quote is, or the end of the text. */
  private stringEnd(): number {
    const { json } = this;
    let at = this.at + 1;
    let quote = indexOrEnd(json, '"', at);
    for (;;) {
      if (this.nextBackslash < at) this.nextBackslash = indexOrEnd(json, '\\', at);
      if (this.nextBackslash >= quote) return quote;
      at = this.nextBackslash + 2;
      if (quote < at) quote = indexOrEnd(json, '"', at);
    }
  }

  private literalEnd(): number {
    let at = this.at + 1;
    while (at < this.json.length && !ENDS_LITERAL.has(this.json.charAt(at))) at += 1;
    return at;
  }
}

type Place = Pick<Redaction, 'start' | 'end'>;
const isWithin = (inner: Place, outer: Place): boolean => inner.start >= outer.start && inner.end <= outer.end;
const holds = (text: string, wanted: string | undefined): boolean => wanted !== undefined && text.includes(wanted);

const indexOrEnd = (text: string, wanted: string, from: number): number => {
  const found = text.indexOf(wanted, from);
  return found < 0 ? text.length : found;
};

const BETWEEN = new Set(' \t\r\n,:}]');
const BLANK = new Set(' \t\r\n:');
const ENDS_LITERAL = new Set(' \t\r\n,:}]["{');
const BEGINS_AS_JSON = /^\s{0,16}[{[]/;
const SAYS_NOTHING: ReadonlySet<string> = new Set(['null', 'true', 'false', '""', '[]', '{}']);
const LONGEST_NOTHING = 5;
