import { isObjectSchema } from './definition-shape.js';
import { META_SERVER_INFO } from './eras.js';
import { isJsonObject, ownMember, type JsonObject } from './json-value.js';
import type { Implementation } from './messages.js';
import { removeMember } from './rewrite-definition.js';

/** A JSON-RPC error as it lies in a message. */
export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/** How a result is to be kept by a modern client; given for the methods whose results are cacheable. */
export interface CacheHint {
  readonly ttlMs: number;
}

const LEGACY_RESOURCE_NOT_FOUND = -32002;
const LEGACY_URL_ELICITATION = -32042;
const INVALID_PARAMS = -32602;
const INTERNAL = -32603;
// They judge the request of the hop that was made to the server, not the one the agent made.
const HOP_CODES: ReadonlySet<number> = new Set([-32020, -32021, -32022]);
const MODERN_MEMBERS = ['resultType', 'ttlMs', 'cacheScope'];
const TTL_MS_MAX = 86_400_000;

/**
 * A tool's JSON as legacy clients can read it: an `outputSchema` that is not an object schema is dropped, because they would
 * refuse the whole list for it. All other bytes are kept.
 */
export function toLegacyToolJson(json: string, value: JsonObject): string {
  const outputSchema = ownMember(value, 'outputSchema');
  return outputSchema === undefined || isObjectSchema(outputSchema) ? json : removeMember(json, 'outputSchema');
}

/** The kind of a modern result; absent means `complete`, as older peers leave it out. */
export function resultTypeOf(result: JsonObject): string | undefined {
  const type = ownMember(result, 'resultType');
  if (type === undefined) return 'complete';
  return typeof type === 'string' ? type : undefined;
}

/**
 * A result as legacy clients know it: without the modern members, and with `structuredContent` that is no object moved into
 * the text content when there is no other content, dropped otherwise. Returns the same object when nothing changes.
 */
export function legacyResult(result: JsonObject): JsonObject {
  const structured = ownMember(result, 'structuredContent');
  const moved = structured !== undefined && !isJsonObject(structured);
  const hasServerInfo = isJsonObject(ownMember(result, '_meta')) && Object.hasOwn(result['_meta'] as JsonObject, META_SERVER_INFO);
  if (!moved && !hasServerInfo && !MODERN_MEMBERS.some((key) => Object.hasOwn(result, key))) return result;
  const adapted: Record<string, unknown> = { ...result };
  for (const key of MODERN_MEMBERS) delete adapted[key];
  if (hasServerInfo) {
    const { [META_SERVER_INFO]: _, ...meta } = result['_meta'] as JsonObject;
    if (Object.keys(meta).length > 0) adapted['_meta'] = meta;
    else delete adapted['_meta'];
  }
  if (moved) {
    delete adapted['structuredContent'];
    const content = ownMember(result, 'content');
    if (!Array.isArray(content) || content.length === 0) adapted['content'] = [{ type: 'text', text: JSON.stringify(structured) }];
  }
  return adapted;
}

/**
 * A result as modern clients need it: with `resultType`, our own `_meta` server info, and for cacheable methods our cache
 * hint, always private. A hint of the server itself never passes.
 */
export function modernResult(result: JsonObject, serverInfo: Implementation, cache?: CacheHint): JsonObject {
  const { ttlMs: _ttlMs, cacheScope: _cacheScope, ...rest } = result;
  const meta = ownMember(result, '_meta');
  return {
    ...rest,
    resultType: ownMember(result, 'resultType') ?? 'complete',
    ...(cache !== undefined && { ttlMs: clampTtl(cache.ttlMs), cacheScope: 'private' }),
    _meta: { ...(isJsonObject(meta) && meta), [META_SERVER_INFO]: serverInfo },
  };
}

/** A lifetime between 0 and one day, whatever a server says. */
export function clampTtl(ttlMs: unknown): number {
  return typeof ttlMs === 'number' && ttlMs > 0 ? Math.min(Math.trunc(ttlMs), TTL_MS_MAX) : 0;
}

/** An error of a server as a modern client may get it: without codes of the older era or of our own hop. */
export function modernError(error: RpcError): RpcError {
  if (error.code === LEGACY_RESOURCE_NOT_FOUND) return { ...error, code: INVALID_PARAMS };
  if (error.code === LEGACY_URL_ELICITATION) return { ...error, code: INTERNAL };
  return withoutHop(error);
}

/** An error of a server as a legacy client knows it: a resource that `resources/read` did not find is -32002 again. */
export function legacyError(error: RpcError, method: string): RpcError {
  const uri = isJsonObject(error.data) ? ownMember(error.data, 'uri') : undefined;
  if (error.code === INVALID_PARAMS && method === 'resources/read' && typeof uri === 'string') return { ...error, code: LEGACY_RESOURCE_NOT_FOUND };
  return withoutHop(error);
}

function withoutHop(error: RpcError): RpcError {
  return HOP_CODES.has(error.code) ? { code: INTERNAL, message: 'The server refused the request of the gateway' } : error;
}
