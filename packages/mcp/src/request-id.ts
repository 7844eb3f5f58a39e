import { isJsonObject, ownMember } from './json-value.js';

/** A JSON-RPC id as accepted here: a string of at most 256 characters or a safe integer. */
export type RequestId = string | number;

/** Longest string id; longer ones are refused because ids are echoed and kept. */
export const REQUEST_ID_CHARS_MAX = 256;

/** True for an id that comes back from JSON exactly as it was sent. */
export function isRequestId(value: unknown): value is RequestId {
  if (typeof value === 'string') return value.length <= REQUEST_ID_CHARS_MAX;
  return Number.isSafeInteger(value);
}

/** The id to put into a refusal of this body: its own when readable, else null. */
export function echoableId(body: unknown): RequestId | null {
  if (!isJsonObject(body)) return null;
  const id = ownMember(body, 'id');
  return isRequestId(id) ? id : null;
}
