import { isJsonObject, ownMember, type JsonObject } from '../json-value.js';
import { isSameJson, pointerTo } from './diff-json.js';
import type { DefinitionMark } from './definition-mark.js';

const LEAST = ['minLength', 'minimum', 'exclusiveMinimum', 'minItems', 'minProperties'];
const MOST = ['maxLength', 'maximum', 'exclusiveMaximum', 'maxItems', 'maxProperties'];
const FORMS = ['pattern', 'format', 'const', 'multipleOf', 'uniqueItems'];
const MARKS_MAX = 50;

/** Where the arguments that a tool takes became more than what they were: new ones, newly required ones, and values that were refused before. */
export function schemaMarks(before: unknown, after: unknown, pointer: string): DefinitionMark[] {
  const marks: DefinitionMark[] = [];
  compare(before, after, pointer, marks);
  return marks.slice(0, MARKS_MAX);
}

function compare(before: unknown, after: unknown, pointer: string, marks: DefinitionMark[]): void {
  if (!isJsonObject(before) || !isJsonObject(after)) {
    if (before !== undefined && after === undefined) marks.push(wider(pointer, 'is described no more'));
    return;
  }
  compareRequired(before, after, pointer, marks);
  compareProperties(before, after, pointer, marks);
  compareTypes(before, after, pointer, marks);
  compareLimits(before, after, pointer, marks);
  compare(ownMember(before, 'items'), ownMember(after, 'items'), pointerTo(pointer, 'items'), marks);
}

function compareRequired(before: JsonObject, after: JsonObject, pointer: string, marks: DefinitionMark[]): void {
  const was = textsOf(ownMember(before, 'required'));
  const is = textsOf(ownMember(after, 'required'));
  const at = (name: string): string => pointerTo(pointerTo(pointer, 'properties'), name);
  for (const name of is) if (!was.has(name)) marks.push({ code: 'new_required_parameter', pointer: at(name), detail: 'is required now' });
  for (const name of was) if (!is.has(name)) marks.push(wider(at(name), 'is not required any more'));
}

function compareProperties(before: JsonObject, after: JsonObject, pointer: string, marks: DefinitionMark[]): void {
  const was = objectOf(ownMember(before, 'properties'));
  const is = objectOf(ownMember(after, 'properties'));
  for (const [name, schema] of Object.entries(is)) {
    const at = pointerTo(pointerTo(pointer, 'properties'), name);
    if (Object.hasOwn(was, name)) compare(was[name], schema, at, marks);
    else marks.push({ code: 'new_parameter', pointer: at, detail: 'is a new parameter' });
  }
  const wasOpen = ownMember(before, 'additionalProperties');
  const isOpen = ownMember(after, 'additionalProperties');
  if (wasOpen === false && isOpen !== false) marks.push(wider(pointerTo(pointer, 'additionalProperties'), 'takes members that it does not name'));
  else if (isJsonObject(wasOpen)) compare(wasOpen, isOpen, pointerTo(pointer, 'additionalProperties'), marks);
}

function compareTypes(before: JsonObject, after: JsonObject, pointer: string, marks: DefinitionMark[]): void {
  const was = typesOf(before);
  const is = typesOf(after);
  const more =
    is === undefined ? ['anything'] : [...is].filter((type) => was !== undefined && !was.has(type) && !(type === 'integer' && was.has('number')));
  if (was !== undefined && more.length > 0) marks.push(wider(pointerTo(pointer, 'type'), `takes ${more.join(', ')} too`));
  const values = ownMember(before, 'enum');
  if (!Array.isArray(values)) return;
  const now = ownMember(after, 'enum');
  if (!Array.isArray(now))
    marks.push({ code: 'removed_enum', pointer: pointerTo(pointer, 'enum'), detail: 'is not limited to listed values any more' });
  else if (now.some((value) => !values.some((known) => isSameJson(known, value))))
    marks.push(wider(pointerTo(pointer, 'enum'), 'takes values that were not listed'));
}

function compareLimits(before: JsonObject, after: JsonObject, pointer: string, marks: DefinitionMark[]): void {
  for (const key of [...LEAST, ...MOST]) {
    const was = ownMember(before, key);
    const is = ownMember(after, key);
    if (typeof was !== 'number') continue;
    const isLooser = typeof is !== 'number' || (LEAST.includes(key) ? is < was : is > was);
    if (isLooser)
      marks.push(wider(pointerTo(pointer, key), typeof is === 'number' ? `was ${String(was)} and is ${String(is)}` : 'limits nothing any more'));
  }
  for (const key of FORMS) {
    const was = ownMember(before, key);
    if (was !== undefined && !isSameJson(was, ownMember(after, key))) marks.push(wider(pointerTo(pointer, key), 'is not what it was'));
  }
}

const wider = (pointer: string, detail: string): DefinitionMark => ({ code: 'wider_schema', pointer, detail });

const objectOf = (value: unknown): JsonObject => (isJsonObject(value) ? value : {});

function textsOf(value: unknown): ReadonlySet<string> {
  return new Set(Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : []);
}

/** Undefined where every type is taken. */
function typesOf(schema: JsonObject): ReadonlySet<string> | undefined {
  const type = ownMember(schema, 'type');
  if (typeof type === 'string') return new Set([type]);
  return Array.isArray(type) ? textsOf(type) : undefined;
}
