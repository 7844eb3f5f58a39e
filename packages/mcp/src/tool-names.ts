/** How `server` and `tool` are joined in the names an agent sees. */
export type ToolNameStyle = 'double-underscore' | 'colon' | 'dot';

/** Lower-case hex digest (at least 10 digits) of a text; handed in because this package computes no hashes. */
export type HashOf = (text: string) => string;

/** A server and one of its tools under its original name. */
export interface NameEntry {
  readonly slug: string;
  readonly name: string;
}

/** Exact two-way look-up between wire names and the tools behind them. */
export interface NameTable {
  /** The wire name of a tool in the table. */
  toWire(slug: string, name: string): string | undefined;
  /** The tool behind a wire name or a canonical `server:tool`; exact and case-sensitive, never split. */
  fromWire(wire: string): NameEntry | undefined;
}

/** Longest name that every known model API accepts. */
export const WIRE_NAME_CHARS_MAX = 64;

const SEPARATORS: Record<ToolNameStyle, string> = { 'double-underscore': '__', colon: ':', dot: '.' };
const SLUG = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/;
const PLAIN = /^[A-Za-z0-9_-]+$/;
const ILLEGAL_RUN = /[^A-Za-z0-9_-]+/gu;
const SLUG_CHARS_MAX = 32;
const MARK_DIGITS = 10;
// A plain name that ends like a shortened one is shortened too: so the two kinds of wire name never meet.
const MARKED = /_[0-9a-f]{10}$/;

/** The internal id of a tool, as used in policy, REST, audit and logs. */
export function canonicalName(slug: string, name: string): string {
  return `${slug}:${name}`;
}

/**
 * The name an agent sees for a tool. At most 64 characters of `[A-Za-z0-9_-]` beside the separator; a name that does not
 * fit is sanitised, cut and marked with ten hex digits of its canonical name's hash. Depends on nothing but its arguments.
 */
export function wireName(style: ToolNameStyle, slug: string, original: string, hashOf: HashOf): string {
  const plain = slug + SEPARATORS[style] + original;
  if (plain.length <= WIRE_NAME_CHARS_MAX && SLUG.test(slug) && PLAIN.test(original) && !MARKED.test(original)) return plain;
  return markedName(style, { slug, name: original }, hashOf, 0);
}

function markedName(style: ToolNameStyle, entry: NameEntry, hashOf: HashOf, attempt: number): string {
  const salt = attempt === 0 ? '' : `\n${String(attempt)}`;
  const mark = `_${hashOf(canonicalName(entry.slug, entry.name) + salt).slice(0, MARK_DIGITS)}`;
  const slug = SLUG.test(entry.slug) ? entry.slug : entry.slug.replace(ILLEGAL_RUN, '_').slice(0, SLUG_CHARS_MAX);
  const head = slug + SEPARATORS[style];
  return head + entry.name.replace(ILLEGAL_RUN, '_').slice(0, WIRE_NAME_CHARS_MAX - head.length - mark.length) + mark;
}

/**
 * Builds the look-up for one set of tools. Every tool gets a wire name of its own whatever the servers call their tools:
 * should two hashes meet, or a shortened name spell another tool's canonical name, the later one in sort order is re-hashed.
 */
export function buildNameTable(style: ToolNameStyle, entries: readonly NameEntry[], hashOf: HashOf): NameTable {
  const wires = new Map<string, Map<string, string>>();
  const byWire = new Map<string, NameEntry>();
  const byCanonical = canonicalIndex(entries);
  for (const entry of [...entries].sort(compareEntries)) {
    const names = wires.get(entry.slug) ?? new Map<string, string>();
    if (names.has(entry.name)) continue;
    let wire = wireName(style, entry.slug, entry.name, hashOf);
    for (let attempt = 1; isTaken(wire, entry, byWire, byCanonical); attempt += 1) wire = markedName(style, entry, hashOf, attempt);
    names.set(entry.name, wire);
    wires.set(entry.slug, names);
    byWire.set(wire, entry);
  }
  return {
    toWire: (slug, name) => wires.get(slug)?.get(name),
    fromWire: (wire) => byWire.get(wire) ?? byCanonical.get(wire) ?? undefined,
  };
}

/** Canonical names of all entries; null where two entries spell the same one, which then resolves to neither. */
function canonicalIndex(entries: readonly NameEntry[]): Map<string, NameEntry | null> {
  const index = new Map<string, NameEntry | null>();
  for (const entry of entries) {
    const canonical = canonicalName(entry.slug, entry.name);
    const prior = index.get(canonical);
    index.set(canonical, prior === undefined || (prior !== null && sameEntry(prior, entry)) ? entry : null);
  }
  return index;
}

function isTaken(wire: string, entry: NameEntry, byWire: Map<string, NameEntry>, byCanonical: Map<string, NameEntry | null>): boolean {
  if (byWire.has(wire)) return true;
  const owner = byCanonical.get(wire);
  return owner === null || (owner !== undefined && !sameEntry(owner, entry));
}

function sameEntry(a: NameEntry, b: NameEntry): boolean {
  return a.slug === b.slug && a.name === b.name;
}

function compareEntries(a: NameEntry, b: NameEntry): number {
  if (a.slug !== b.slug) return a.slug < b.slug ? -1 : 1;
  if (a.name === b.name) return 0;
  return a.name < b.name ? -1 : 1;
}
