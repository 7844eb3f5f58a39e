import { isJsonObject, ownMember } from './json-value.js';
import { findLossyNumber } from './lossy-numbers.js';
import { parseJson } from './parse-json.js';
import { refused, type RefusedMessage } from './refused-message.js';
import { echoableId } from './request-id.js';
import { scanJsonText, type TextLimits } from './scan-json-text.js';

/** Limits of one body. */
export interface JsonLimits extends TextLimits {
  readonly bytesMax: number;
}

/** A body read into a value that `JSON.stringify` turns back into the same JSON, or the refusal to answer with. */
export type JsonBody = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly refusal: RefusedMessage };

/** 4 MiB, 64 levels, 50,000 members, keys of at most 1,024 characters as written. */
export const DEFAULT_JSON_LIMITS: JsonLimits = { bytesMax: 4 * 1024 * 1024, depthMax: 64, membersMax: 50_000, keyCharsMax: 1024 };

const FAULTS = {
  depth: 'The body is nested too deeply',
  members: 'The body has too many members',
  key: 'The body has a key that is too long',
} as const;
const SURROGATE_ESCAPE = /\\u[dD][89a-fA-F]/;
const LONE_SURROGATE = /\p{Surrogate}/u;
// Fatal, and a byte order mark is left in so that the parser refuses it.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/**
 * Reads the bytes of a body. Refused are: more bytes than allowed (413), what is not UTF-8 without byte order mark or not
 * JSON, too much depth or width, keys that reach for a prototype (-32700); lone surrogates, and numbers that forwarding would
 * change, with their JSON pointer (-32600). Of duplicate keys the last counts, as in what is forwarded. Never throws.
 */
export function parseJsonBody(bytes: Uint8Array, limits: JsonLimits = DEFAULT_JSON_LIMITS): JsonBody {
  if (bytes.length > limits.bytesMax) {
    return { ok: false, refusal: { kind: 'refused', status: 413, code: -32600, message: 'The body is too large', id: null } };
  }
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    return unparsable('The body is not UTF-8');
  }
  return parseScanned(text, bytes, limits);
}

/** The same for text that is decoded already, such as the data of an SSE event; its length is not judged. */
export function parseJsonText(text: string, limits: TextLimits = DEFAULT_JSON_LIMITS): JsonBody {
  return parseScanned(text, encoder.encode(text), limits);
}

function parseScanned(text: string, bytes: Uint8Array, limits: TextLimits): JsonBody {
  const scan = scanJsonText(bytes, limits);
  if (scan.fault !== undefined) return unparsable(FAULTS[scan.fault]);
  let value: unknown;
  try {
    value = parseJson(text);
  } catch {
    return unparsable('The body is not JSON');
  }
  if (mayReachPrototype(text) && reachesPrototype(value)) return unparsable('The body has a key that is not accepted');
  if (SURROGATE_ESCAPE.test(text) && hasLoneSurrogate(value)) {
    return { ok: false, refusal: refused(-32600, 'The body has text that is not well-formed Unicode', echoableId(value)) };
  }
  const pointer = scan.hasRiskyNumber && limits.inexactNumbers !== true ? findLossyNumber(text) : undefined;
  if (pointer === undefined) return { ok: true, value };
  return { ok: false, refusal: refused(-32600, 'The body has a number that would not be forwarded exactly', echoableId(value), { pointer }) };
}

function unparsable(message: string): JsonBody {
  return { ok: false, refusal: refused(-32700, message, null) };
}

/** Cheap look at the text: only then is the value walked. Every escape of an ASCII character starts with \u00. */
function mayReachPrototype(text: string): boolean {
  return text.includes('__proto__') || (text.includes('constructor') && text.includes('prototype')) || text.includes('\\u00');
}

/** True for an own key `__proto__`, or `constructor` holding an object with `prototype`, at any depth. */
export function reachesPrototype(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(reachesPrototype);
  if (!isJsonObject(value)) return false;
  if (Object.hasOwn(value, '__proto__')) return true;
  const constructor = ownMember(value, 'constructor');
  if (isJsonObject(constructor) && Object.hasOwn(constructor, 'prototype')) return true;
  return Object.values(value).some(reachesPrototype);
}

function hasLoneSurrogate(value: unknown): boolean {
  if (typeof value === 'string') return LONE_SURROGATE.test(value);
  if (Array.isArray(value)) return value.some(hasLoneSurrogate);
  if (!isJsonObject(value)) return false;
  return Object.entries(value).some(([key, member]) => LONE_SURROGATE.test(key) || hasLoneSurrogate(member));
}
