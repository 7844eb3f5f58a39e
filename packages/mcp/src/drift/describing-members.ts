import { isJsonObject, type JsonObject } from '../json-value.js';
import { isSameJson } from './diff-json.js';

const NESTED = [
  'items',
  'additionalProperties',
  'contains',
  'propertyNames',
  'not',
  'if',
  'then',
  'else',
  'unevaluatedItems',
  'unevaluatedProperties',
];
const LISTS = ['prefixItems', 'allOf', 'anyOf', 'oneOf', 'items'];
const MAPS = ['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas'];

/** A JSON Schema without the words in it that only a reader sees. What is called `description` among its properties is no such word. */
function withoutWords(schema: unknown): unknown {
  if (!isJsonObject(schema)) return schema;
  const { title, description, $comment, ...rest } = schema;
  // What is not text there is no description, so it must not be overlooked.
  const kept: JsonObject = { ...rest, ...odd({ title, description, $comment }) };
  return mapMembers(kept, (key, value) => {
    if (MAPS.includes(key) && isJsonObject(value)) return mapMembers(value, (_, each) => withoutWords(each));
    if (LISTS.includes(key) && Array.isArray(value)) return value.map(withoutWords);
    return NESTED.includes(key) ? withoutWords(value) : value;
  });
}

function odd(members: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined && typeof value !== 'string'));
}

/** Built from entries: an assignment to a member called `__proto__` would lose it. */
const mapMembers = (object: JsonObject, change: (key: string, value: unknown) => unknown): JsonObject =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(key, value)]));

function withoutTitle(object: unknown): unknown {
  if (!isJsonObject(object)) return object;
  const { title, description, ...rest } = object;
  return { ...rest, ...odd({ title, description }) };
}

/** A definition reduced to what a call depends on. */
function withoutDescriptions(definition: JsonObject): JsonObject {
  const { title, description, _meta, ...rest } = definition;
  const kept: JsonObject = { ...rest, ...odd({ title, description }) };
  return mapMembers(kept, (key, value) => {
    if (key === 'inputSchema' || key === 'outputSchema') return withoutWords(value);
    if (key === 'annotations') return withoutAnnotatedTitle(value);
    return key === 'arguments' && Array.isArray(value) ? value.map(withoutTitle) : value;
  });
}

function withoutAnnotatedTitle(annotations: unknown): unknown {
  if (!isJsonObject(annotations)) return annotations;
  const { title, ...rest } = annotations;
  const kept = { ...rest, ...odd({ title }) };
  // A title may be all the annotations there are.
  return Object.keys(kept).length === 0 ? undefined : kept;
}

/**
 * Whether two definitions differ in titles and descriptions at most, so that a call means the same under either. Default values, enums, annotations
 * and everything unknown count as more than that.
 */
export function differsInDescriptionsOnly(before: JsonObject, after: JsonObject): boolean {
  return isSameJson(said(withoutDescriptions(before)), said(withoutDescriptions(after)));
}

const said = (object: JsonObject): JsonObject => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
