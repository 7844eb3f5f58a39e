import { isJsonObject, ownMember, type JsonObject } from '../json-value.js';
import { pointerTo } from './diff-json.js';
import { instructionLikeIn } from './instruction-like.js';
import { bidirectionalIn, hiddenIn, ODD_CHARACTERS_NAMED_MAX, seenOf, type OddCharacter } from './odd-characters.js';
import type { DefinitionMark } from './definition-mark.js';
import { schemaMarks } from './schema-marks.js';

const MARKS_MAX = 100;
const URL_TEXT = /\b(?:https?|wss?|ftp|javascript|data|file):[^\s"'<>()[\]{}|\\^`]{1,2048}/gi;

/**
 * The marks of a definition that is offered, against what was approved or, of a new one, against nothing. They alert and decide nothing. A mark that
 * was there when the definition was approved is given again: it is there still.
 */
export function definitionMarks(before: JsonObject | undefined, after: JsonObject): DefinitionMark[] {
  const known = before === undefined ? new Set<string>() : new Set(textsIn(before).flatMap(({ text }) => urlsIn(text)));
  const texts = textsIn(after).flatMap((found) => textMarks(found, known));
  const changes = before === undefined ? [] : [...annotationMarks(before, after), ...promptMarks(before, after)];
  const schema = before === undefined ? [] : schemaMarks(ownMember(before, 'inputSchema'), ownMember(after, 'inputSchema'), '/inputSchema');
  return [...changes, ...schema, ...texts].slice(0, MARKS_MAX);
}

/** Every text of a definition that a model may get to read, with its place. */
export interface FoundText {
  readonly pointer: string;
  readonly text: string;
}

/** All strings of a definition but those in its own `_meta`; the names of members are among them. */
export function textsIn(definition: JsonObject): FoundText[] {
  const found: FoundText[] = [];
  for (const [key, value] of Object.entries(definition)) if (key !== '_meta') collectTexts(value, pointerTo('', key), found);
  return found;
}

function collectTexts(value: unknown, pointer: string, found: FoundText[]): void {
  if (typeof value === 'string') found.push({ pointer, text: value });
  else if (Array.isArray(value)) value.forEach((element, at) => collectTexts(element, pointerTo(pointer, at), found));
  else if (isJsonObject(value)) {
    for (const [key, member] of Object.entries(value)) {
      found.push({ pointer: pointerTo(pointer, key), text: key });
      collectTexts(member, pointerTo(pointer, key), found);
    }
  }
}

function textMarks({ pointer, text }: FoundText, known: Set<string>): DefinitionMark[] {
  const marks: DefinitionMark[] = [];
  const hidden = hiddenIn(text);
  if (hidden.length > 0) marks.push(characterMark('hidden_characters', pointer, hidden));
  const turning = bidirectionalIn(text);
  if (turning.length > 0) marks.push(characterMark('bidirectional_characters', pointer, turning));
  for (const { phrase } of instructionLikeIn(text))
    marks.push({ code: 'instruction_like', pointer, detail: `reads like an order to a model: ${phrase}` });
  for (const url of urlsIn(text)) {
    if (known.has(url)) continue;
    known.add(url);
    marks.push({ code: 'new_url', pointer, detail: `has an address that is new: ${url.slice(0, 200)}` });
  }
  return marks;
}

function characterMark(code: 'hidden_characters' | 'bidirectional_characters', pointer: string, all: readonly OddCharacter[]): DefinitionMark {
  const what = code === 'hidden_characters' ? 'that are not seen' : 'that turn the direction of text';
  const kinds = [...new Set(all.map(({ codePoint }) => codePoint))].slice(0, 5).join(', ');
  return { code, pointer, detail: `has ${String(all.length)} characters ${what}: ${kinds}`, characters: all.slice(0, ODD_CHARACTERS_NAMED_MAX) };
}

const urlsIn = (text: string): string[] => [...seenOf(text).matchAll(URL_TEXT)].map(([url]) => url.replace(/[.,;:!?]+$/, ''));

/** Hints are the server's word and decide nothing; that it takes its word back is worth knowing. What is unsaid counts as the protocol says. */
function annotationMarks(before: JsonObject, after: JsonObject): DefinitionMark[] {
  const was = hintsOf(before);
  const is = hintsOf(after);
  const marks: DefinitionMark[] = [];
  const mark = (code: DefinitionMark['code'], hint: string, detail: string): number => marks.push({ code, pointer: `/annotations/${hint}`, detail });
  if (was.isReadOnly && !is.isReadOnly) mark('no_longer_read_only', 'readOnlyHint', 'was read-only and is not any more');
  if (!was.isDestructive && is.isDestructive) mark('became_destructive', 'destructiveHint', 'may destroy, which it might not before');
  if (!was.isOpenWorld && is.isOpenWorld) mark('became_open_world', 'openWorldHint', 'may reach beyond its own world, which it might not before');
  return marks;
}

function hintsOf(definition: JsonObject): { isReadOnly: boolean; isDestructive: boolean; isOpenWorld: boolean } {
  const annotations = ownMember(definition, 'annotations');
  const hint = (name: string): unknown => (isJsonObject(annotations) ? ownMember(annotations, name) : undefined);
  const isReadOnly = hint('readOnlyHint') === true;
  // Only tools have these hints; nothing else may be said to have lost one.
  const isTool = ownMember(definition, 'inputSchema') !== undefined;
  return {
    isReadOnly,
    isDestructive: isTool && !isReadOnly && hint('destructiveHint') !== false,
    isOpenWorld: isTool && hint('openWorldHint') !== false,
  };
}

function promptMarks(before: JsonObject, after: JsonObject): DefinitionMark[] {
  const required = (definition: JsonObject): unknown[] => {
    const args = ownMember(definition, 'arguments');
    return Array.isArray(args)
      ? args.flatMap((one: unknown) => (isJsonObject(one) && ownMember(one, 'required') === true ? [ownMember(one, 'name')] : []))
      : [];
  };
  const was = new Set(required(before));
  return required(after)
    .filter((name) => typeof name === 'string' && !was.has(name))
    .map((name) => ({ code: 'new_required_parameter', pointer: '/arguments', detail: `${String(name).slice(0, 128)} is required now` }));
}
