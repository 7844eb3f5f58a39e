import { scanHeaderParams } from './header-params.js';
import { isJsonObject, ownMember, type JsonObject } from './json-value.js';

/** The member of a list result that holds its definitions. */
export type DefinitionKey = 'tools' | 'prompts' | 'resources' | 'resourceTemplates';

/** The member by which a definition of a kind is told from its neighbours, and called. */
export const IDENTITY_MEMBER = { tools: 'name', prompts: 'name', resources: 'uri', resourceTemplates: 'uriTemplate' } as const;

const NAME = /^[A-Za-z0-9_./-]{1,128}$/;
const URI_CHARS_MAX = 2048;
const CONTROL = /[\p{Cc}\p{Surrogate}]/u;
const TASK_SUPPORT: ReadonlySet<unknown> = new Set(['required', 'optional', 'forbidden']);
const HINTS = ['readOnlyHint', 'destructiveHint', 'idempotentHint', 'openWorldHint'];

/**
 * Why a definition must not be offered, or undefined. Stricter than a JSON Schema of the protocol where official clients
 * throw a whole list away for one bad entry, and where a name would not be told apart safely.
 */
export function definitionFault(key: DefinitionKey, value: unknown): string | undefined {
  if (!isJsonObject(value)) return 'is not an object';
  return (
    identityFault(key, value) ??
    textFault(value) ??
    annotationsFault(value) ??
    (key === 'tools' ? toolFault(value) : undefined) ??
    promptFault(key, value)
  );
}

function identityFault(key: DefinitionKey, value: JsonObject): string | undefined {
  const identity = ownMember(value, IDENTITY_MEMBER[key]);
  if (typeof identity !== 'string' || identity === '') return `${IDENTITY_MEMBER[key]} must be a non-empty string`;
  if (key === 'resources' || key === 'resourceTemplates') {
    if (identity.length > URI_CHARS_MAX || CONTROL.test(identity)) return `${IDENTITY_MEMBER[key]} is too long or has control characters`;
    const name = ownMember(value, 'name');
    return typeof name !== 'string' || CONTROL.test(name) ? 'name must be a string without control characters' : undefined;
  }
  if (!NAME.test(identity)) return 'name must be 1 to 128 characters of A-Z a-z 0-9 _ . / -';
  // `constructor` and its like: every table they pass through, ours or a client's, would have to be immune.
  return identity in Object.prototype ? 'name is a property of every object' : undefined;
}

function textFault(value: JsonObject): string | undefined {
  for (const key of ['title', 'description', 'mimeType']) {
    const text = ownMember(value, key);
    if (text !== undefined && typeof text !== 'string') return `${key} must be a string`;
  }
  const meta = ownMember(value, '_meta');
  if (meta !== undefined && !isJsonObject(meta)) return '_meta must be an object';
  const size = ownMember(value, 'size');
  if (size !== undefined && typeof size !== 'number') return 'size must be a number';
  const icons = ownMember(value, 'icons');
  return icons === undefined || (Array.isArray(icons) && icons.every(isIcon))
    ? undefined
    : 'icons must be an array of icons with addresses that can be shown';
}

/** What a client may load for a picture and nothing that it might run or find on its own machine (MCP 2026-07-28 §Icons). */
const ICON_SOURCE = /^(?:https?:\/\/|data:image\/)/i;

function isIcon(value: unknown): boolean {
  const src = isJsonObject(value) ? ownMember(value, 'src') : undefined;
  if (!isJsonObject(value) || typeof src !== 'string' || !ICON_SOURCE.test(src)) return false;
  const { mimeType, sizes, theme } = value;
  if (mimeType !== undefined && typeof mimeType !== 'string') return false;
  if (sizes !== undefined && !isStringArray(sizes)) return false;
  return theme === undefined || theme === 'light' || theme === 'dark';
}

function annotationsFault(value: JsonObject): string | undefined {
  const annotations = ownMember(value, 'annotations');
  if (annotations === undefined) return undefined;
  if (!isJsonObject(annotations)) return 'annotations must be an object';
  const { title, audience, priority, lastModified } = annotations;
  if (title !== undefined && typeof title !== 'string') return 'annotations.title must be a string';
  if (audience !== undefined && !(Array.isArray(audience) && audience.every((role) => role === 'user' || role === 'assistant'))) {
    return 'annotations.audience must be an array of roles';
  }
  if (priority !== undefined && !(typeof priority === 'number' && priority >= 0 && priority <= 1))
    return 'annotations.priority must be between 0 and 1';
  if (lastModified !== undefined && !isTime(lastModified)) {
    return 'annotations.lastModified must be an ISO 8601 time';
  }
  const hint = HINTS.find((name) => annotations[name] !== undefined && typeof annotations[name] !== 'boolean');
  return hint === undefined ? undefined : `annotations.${hint} must be a boolean`;
}

const ISO_TIME = /^(\d{4})-(\d{2})-(\d{2})T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

function isTime(value: unknown): boolean {
  const parts = typeof value === 'string' ? ISO_TIME.exec(value) : null;
  if (parts === null) return false;
  const [year = 0, month = 0, day = 0] = parts.slice(1).map(Number);
  return month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month);
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

function toolFault(value: JsonObject): string | undefined {
  const inputSchema = ownMember(value, 'inputSchema');
  if (!isObjectSchema(inputSchema)) return 'inputSchema must be an object schema (type "object", properties of objects, required of strings)';
  const outputSchema = ownMember(value, 'outputSchema');
  if (outputSchema !== undefined && !isJsonObject(outputSchema)) return 'outputSchema must be an object';
  const execution = ownMember(value, 'execution');
  if (execution !== undefined) {
    if (!isJsonObject(execution)) return 'execution must be an object';
    const support = ownMember(execution, 'taskSupport');
    if (support !== undefined && !TASK_SUPPORT.has(support)) return 'execution.taskSupport is not a known value';
  }
  const headers = scanHeaderParams(inputSchema);
  return headers.ok ? undefined : headers.reason;
}

function promptFault(key: DefinitionKey, value: JsonObject): string | undefined {
  const args = key === 'prompts' ? ownMember(value, 'arguments') : undefined;
  return args === undefined || (Array.isArray(args) && args.every(isPromptArgument)) ? undefined : 'arguments must be an array of named arguments';
}

function isPromptArgument(value: unknown): boolean {
  if (!isJsonObject(value) || typeof ownMember(value, 'name') !== 'string') return false;
  const { title, description, required } = value;
  return (
    [title, description].every((text) => text === undefined || typeof text === 'string') && (required === undefined || typeof required === 'boolean')
  );
}

/** True for a schema that clients of every era accept at the root of a tool: type `object`, sub-schemas that are objects. */
export function isObjectSchema(schema: unknown): boolean {
  if (!isJsonObject(schema) || ownMember(schema, 'type') !== 'object') return false;
  const properties = ownMember(schema, 'properties');
  if (properties !== undefined && !(isJsonObject(properties) && Object.values(properties).every(isJsonObject))) return false;
  const required = ownMember(schema, 'required');
  return required === undefined || isStringArray(required);
}

function isStringArray(value: unknown): boolean {
  return Array.isArray(value) && value.every((element) => typeof element === 'string');
}
