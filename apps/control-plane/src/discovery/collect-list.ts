import { createHash } from 'node:crypto';
import { INSTRUCTIONS_NAME, type DefinitionKind, type PinnedKind } from '@portcullis/contracts/names';
import { cutDefinitions, parseJson, type DefinitionKey, type DefinitionPiece } from '@portcullis/mcp';
import { DiscoveryFailure } from './discovery-failure.js';

/** A definition as the server offers it: exact text, and the pin over its canonical form. */
export interface FoundDefinition {
  readonly kind: PinnedKind;
  readonly name: string;
  readonly json: string;
  readonly hash: string;
}

/** A definition set aside, or what kept a list from being read to its end. */
export interface FoundProblem {
  readonly kind: DefinitionKind;
  readonly index: number;
  readonly reason: string;
  /** Whether nothing of the list is known from here on. */
  readonly cut?: true;
}

export interface CollectedList {
  /** How long the server says that the list holds; undefined where it says nothing, or that it holds not at all. */
  readonly ttlMs: number | undefined;
  readonly definitions: readonly FoundDefinition[];
  readonly problems: readonly FoundProblem[];
}

/** The text of one page; undefined when the server does not know the method. */
export type ReadPage = (cursor: string | undefined) => Promise<string | undefined>;

const PAGES_MAX = 50;
export const DEFINITIONS_MAX = 1000;

/**
 * Reads all pages of a list and cuts out its definitions. What is malformed, doubled or beyond a limit is set aside alone, and said. `isModern`: an
 * empty cursor is one (2026-07-28, Pagination); servers of the older era often end their lists with it.
 */
export async function collectList(kind: DefinitionKind, key: DefinitionKey, readPage: ReadPage, isModern: boolean): Promise<CollectedList> {
  const pieces: DefinitionPiece[] = [];
  const problems: FoundProblem[] = [];
  const cuts: FoundProblem[] = [];
  const cursors = new Set<string>();
  let cursor: string | undefined;
  let offset = 0;
  let ttlMs: number | undefined;
  for (let page = 1; ; page += 1) {
    const text = await readPage(cursor);
    if (text === undefined) break;
    const cut = cutDefinitions(text, key);
    if (cut.fault !== undefined) throw new DiscoveryFailure(`The list of ${key} cannot be read: ${cut.fault}.`);
    for (const piece of cut.pieces) pieces.push({ ...piece, index: offset + piece.index });
    problems.push(...cut.problems.map(({ index, name, reason }) => ({ kind, index: offset + index, reason: withName(name, reason) })));
    offset += cut.pieces.length + cut.problems.length;
    const hints = hintsOf(text);
    cursor = hints.nextCursor === '' && !isModern ? undefined : hints.nextCursor;
    ttlMs = leastOf(ttlMs, hints.ttlMs);
    const stop = cursor === undefined ? undefined : reasonToStop(page, offset, cursors.has(cursor));
    if (stop !== undefined) cuts.push({ kind, index: offset, reason: stop, cut: true });
    if (cursor === undefined || stop !== undefined) break;
    cursors.add(cursor);
  }
  const { kept, doubled } = separateDoubles(kind, pieces);
  const over = kept[DEFINITIONS_MAX];
  if (over !== undefined)
    cuts.push({ kind, index: over.index, reason: `of ${kept.length} definitions the first ${DEFINITIONS_MAX} are taken`, cut: true });
  // What is missing without a trace comes first: of a long report the end is not kept.
  return { ttlMs, definitions: kept.slice(0, DEFINITIONS_MAX).map((piece) => found(kind, piece)), problems: [...cuts, ...problems, ...doubled] };
}

function reasonToStop(page: number, count: number, isRepeated: boolean): string | undefined {
  if (isRepeated) return 'the list repeats a cursor, so it was read no further';
  if (page >= PAGES_MAX) return `the list did not end after ${PAGES_MAX} pages`;
  return count >= DEFINITIONS_MAX ? `the list goes on beyond ${DEFINITIONS_MAX} definitions` : undefined;
}

/** Names repeated within a page are set aside where it is cut; this finds those repeated across pages. */
function separateDoubles(kind: DefinitionKind, pieces: readonly DefinitionPiece[]): { kept: DefinitionPiece[]; doubled: FoundProblem[] } {
  const alike = Map.groupBy(pieces, ({ identity }) => identity.toLowerCase());
  const kept: DefinitionPiece[] = [];
  const doubled: FoundProblem[] = [];
  for (const group of alike.values()) {
    const [first] = group;
    if (first !== undefined && group.every(({ json }) => json === first.json)) kept.push(first);
    else doubled.push(...group.map(({ index, identity }) => ({ kind, index, reason: withName(identity, 'is listed more than once') })));
  }
  return { kept, doubled };
}

function found(kind: DefinitionKind, { identity, json, canonical }: DefinitionPiece): FoundDefinition {
  return { kind, name: identity, json, hash: pinOf(canonical) };
}

/** What a server says for all that it offers, pinned like a definition. */
export function foundInstructions(instructions: string): FoundDefinition {
  const json = JSON.stringify({ instructions }); // one member, so this is its canonical form too
  return { kind: 'instructions', name: INSTRUCTIONS_NAME, json, hash: pinOf(json) };
}

const pinOf = (canonical: string): string => createHash('sha256').update(canonical).digest('hex');

/** Names are the server's words: only what prints safely gets into a report. */
function withName(name: string | undefined, reason: string): string {
  const shown = name?.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 128);
  return shown === undefined ? reason : `${shown}: ${reason}`;
}

/** What a page says of the list as a whole (2026-07-28, Caching; Pagination). A `ttlMs` of 0 is what servers say that have not thought of it. */
function hintsOf(text: string): { nextCursor: string | undefined; ttlMs: number | undefined } {
  const { result } = parseJson(text) as { result?: { nextCursor?: unknown; ttlMs?: unknown } };
  const { nextCursor, ttlMs } = result ?? {};
  return {
    nextCursor: typeof nextCursor === 'string' ? nextCursor : undefined,
    ttlMs: typeof ttlMs === 'number' && ttlMs > 0 ? ttlMs : undefined,
  };
}

/** The smaller one; what is undefined says nothing. */
export const leastOf = (one: number | undefined, other: number | undefined): number | undefined =>
  one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);
