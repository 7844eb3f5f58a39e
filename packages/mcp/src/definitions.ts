import canonicalize from 'canonicalize';
import { definitionFault, IDENTITY_MEMBER, type DefinitionKey } from './definition-shape.js';
import { parseJsonText } from './json-guard.js';
import { elementsAt, memberAt } from './json-scan.js';
import { isJsonObject, ownMember, type JsonObject } from './json-value.js';
import { parseJson } from './parse-json.js';

/** One sound definition: its JSON exactly as the server sent it, and the same parsed. */
export interface DefinitionPiece {
  /** Where it stood in the server's list. */
  readonly index: number;
  /** Name, URI or URI template. */
  readonly identity: string;
  readonly json: string;
  readonly value: JsonObject;
  /** See `canonicalDefinition`; its SHA-256 is the pin. */
  readonly canonical: string;
}

/** A definition set aside. `name` is given when there is one, cut to 128 characters. */
export interface DefinitionProblem {
  readonly index: number;
  readonly name: string | undefined;
  readonly reason: string;
}

/** What a list answer holds. `fault` is set when the answer as a whole is none, and then nothing else is. */
export interface DefinitionCut {
  readonly pieces: readonly DefinitionPiece[];
  readonly problems: readonly DefinitionProblem[];
  readonly fault: string | undefined;
}

/** Largest definition, in bytes of UTF-8. */
export const DEFINITION_BYTES_MAX = 64 * 1024;
/** Deepest definition. */
export const DEFINITION_DEPTH_MAX = 64;

const PROBLEM_NAME_CHARS_MAX = 128;
// Definitions are served by their bytes, so an int64 limit in a schema may be longer than a double.
const LIMITS = { depthMax: DEFINITION_DEPTH_MAX, membersMax: 50_000, keyCharsMax: 1024, inexactNumbers: true };
const utf8 = new TextEncoder();

/**
 * Cuts the definitions out of the text of a list answer (the JSON-RPC message or its bare result) without re-encoding them.
 * One that is malformed, too large or too deep is set aside alone; so are all that share an identity, ignoring case, unless
 * they are the same bytes, of which the first is kept.
 */
export function cutDefinitions(rawJsonText: string, key: DefinitionKey): DefinitionCut {
  let answer: unknown;
  try {
    answer = parseJson(rawJsonText);
  } catch {
    return failed('the answer is not JSON');
  }
  const list = findList(rawJsonText, answer, key);
  if (list === undefined) return failed(`the answer has no array ${key}`);
  const pieces: DefinitionPiece[] = [];
  const problems: DefinitionProblem[] = [];
  for (const [index, span] of elementsAt(rawJsonText, list).entries()) {
    const piece = readPiece(rawJsonText.slice(span.start, span.end), index, key);
    if ('reason' in piece) problems.push(piece);
    else pieces.push(piece);
  }
  return { ...separate(pieces, problems), fault: undefined };
}

function failed(fault: string): DefinitionCut {
  return { pieces: [], problems: [], fault };
}

/** Offset of the list in the text. */
function findList(text: string, answer: unknown, key: DefinitionKey): number | undefined {
  if (!isJsonObject(answer)) return undefined;
  const wrapped = ownMember(answer, 'result');
  const result = isJsonObject(wrapped) ? wrapped : answer;
  if (!Array.isArray(ownMember(result, key))) return undefined;
  const at = result === answer ? 0 : memberAt(text, 0, 'result')?.start;
  return at === undefined ? undefined : memberAt(text, at, key)?.start;
}

function readPiece(json: string, index: number, key: DefinitionKey): DefinitionPiece | DefinitionProblem {
  if (json.length > DEFINITION_BYTES_MAX || utf8.encode(json).length > DEFINITION_BYTES_MAX) {
    return { index, name: undefined, reason: `is larger than ${String(DEFINITION_BYTES_MAX)} bytes` };
  }
  const body = parseJsonText(json, LIMITS);
  if (!body.ok) return { index, name: undefined, reason: body.refusal.message.replace(/^The body/, 'the definition') };
  const value = body.value;
  const identity = isJsonObject(value) ? ownMember(value, IDENTITY_MEMBER[key]) : undefined;
  const name = typeof identity === 'string' ? identity.slice(0, PROBLEM_NAME_CHARS_MAX) : undefined;
  const reason = definitionFault(key, value);
  if (reason !== undefined || !isJsonObject(value) || typeof identity !== 'string') return { index, name, reason: reason ?? 'is not an object' };
  try {
    return { index, identity, json, value, canonical: canonicalDefinition(value) };
  } catch {
    return { index, name, reason: 'has a number beyond the range of numbers' };
  }
}

/** Sets aside what could be mistaken for a neighbour. */
function separate(pieces: readonly DefinitionPiece[], problems: readonly DefinitionProblem[]): Omit<DefinitionCut, 'fault'> {
  const alike = Map.groupBy(pieces, (piece) => piece.identity.toLowerCase());
  const kept: DefinitionPiece[] = [];
  const aside = [...problems];
  for (const piece of pieces) {
    const group = alike.get(piece.identity.toLowerCase()) ?? [];
    const first = group[0] ?? piece;
    if (piece === first && group.every((other) => other.json === first.json)) kept.push(piece);
    else aside.push({ index: piece.index, name: piece.identity.slice(0, PROBLEM_NAME_CHARS_MAX), reason: duplicateReason(group) });
  }
  return { pieces: kept, problems: aside.sort((a, b) => a.index - b.index) };
}

function duplicateReason(group: readonly DefinitionPiece[]): string {
  const [first] = group;
  return group.every((other) => other.identity === first?.identity)
    ? 'is listed more than once'
    : 'differs from another only in upper and lower case';
}

/** RFC 8785 canonical JSON: the same for equal values. Throws on numbers that JSON has no value for. */
export const canonicalJson = (value: unknown): string => canonicalize(value) ?? '';

/**
 * RFC 8785 canonical JSON of a definition without its top-level `_meta`, to be hashed for the pin: key order and white space
 * never look like a change, every other difference does. Throws on numbers that JSON has no value for.
 */
export function canonicalDefinition(value: JsonObject): string {
  const { _meta: _, ...rest } = value;
  return canonicalize(rest) ?? '';
}
