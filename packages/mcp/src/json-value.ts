/** A parsed JSON object: own members only, whatever the sender put there. */
export type JsonObject = { readonly [key: string]: unknown };

/** True for a JSON object; arrays and null are not. */
export function isJsonObject(value: unknown): value is JsonObject {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/** Reads an own member: a body without `method` must not inherit one from Object.prototype. */
export function ownMember(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}
