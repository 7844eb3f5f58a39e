import { findInText, findRedactions, type Redaction, type RedactionOptions } from './find-redactions.js';
import type { PathNode } from './redaction-paths.js';
import { mayHoldSecret } from './secret-shapes.js';

/** So many characters behind the last one that is kept are looked at too, so that a secret across the border is known for one. */
export const LOOK_AHEAD = 2048;
/** The trace of a secret lies at its beginning, or before it. */
const TRACE_AHEAD = 32;

export interface RedactJsonOptions {
  readonly paths: PathNode | undefined;
  readonly ownSecret: string | undefined;
  /** Nothing that begins behind so many characters is given. */
  readonly charsMax: number;
  /** Whether `json` is only the beginning of a longer text. */
  readonly goesOn?: boolean;
}

/**
 * The first `charsMax` characters of a JSON text with every secret in them replaced by a marker that says of which kind it was; undefined where there is
 * none. What is replaced is replaced whole, also where only its beginning lies within. Everything else is as it was, to the byte.
 */
export function redactJson(json: string, { paths, ownSecret, charsMax, goesOn = false }: RedactJsonOptions): string | undefined {
  if (paths === undefined && !hasTrace(json, charsMax, ownSecret)) return undefined;
  const isCut = json.length > charsMax + LOOK_AHEAD;
  const looked = isCut ? json.slice(0, charsMax + LOOK_AHEAD) : json;
  const all = findRedactions(looked, { paths: paths === undefined ? [] : [paths], ownSecret, cut: isCut || goesOn, secrets: true });
  const found = all.filter(({ start }) => start < charsMax);
  return found.length === 0 ? undefined : replaced(looked, found, charsMax);
}

/** A text with its secrets replaced: mostly the very same one. */
export function redactText(text: string, ownSecret?: string): string {
  const found = findInText(text, { ownSecret, cut: false, secrets: true });
  if (found.length === 0) return text;
  const marked = found.map(({ start, end, kind }) => ({ start, end, text: `[redacted:${kind}]`, kind }));
  return replaced(text, marked, text.length);
}

/** What is looked for in JSON. */
export type Searched = Pick<RedactionOptions, 'secrets' | 'texts'> & { readonly paths: PathNode | undefined };

/** What was found: of which kinds, in order, and the text with markers in its place. */
export interface FoundInJson {
  readonly kinds: readonly string[];
  readonly json: string;
}

/** Looks through a whole JSON text; undefined where there is nothing of it. Everything else is as it was, to the byte. */
export function searchJson(json: string, { secrets, texts, paths }: Searched): FoundInJson | undefined {
  if (paths === undefined && !(secrets && mayHoldSecret(json)) && texts?.mayBeIn(json) !== true) return undefined;
  const found = findRedactions(json, { paths: paths === undefined ? [] : [paths], ownSecret: undefined, cut: false, secrets, texts });
  if (found.length === 0) return undefined;
  return { kinds: [...new Set(found.map(({ kind }) => kind))].toSorted(), json: replaced(json, found, json.length) };
}

function hasTrace(json: string, charsMax: number, ownSecret: string | undefined): boolean {
  const ahead = charsMax + TRACE_AHEAD;
  const near = json.length > ahead ? json.slice(0, ahead) : json;
  return mayHoldSecret(near) || (ownSecret !== undefined && json.includes(ownSecret));
}

function replaced(text: string, found: readonly Redaction[], charsMax: number): string {
  let out = '';
  let from = 0;
  for (const { start, end, text: marker } of found) {
    out += text.slice(from, start) + marker;
    from = end;
  }
  return from < charsMax ? out + text.slice(from, charsMax) : out;
}
