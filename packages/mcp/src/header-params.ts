import { decodeHeaderValue, encodeHeaderValue } from './header-values.js';
import { isJsonObject, ownMember, type JsonObject } from './json-value.js';

/** One `x-mcp-header` annotation: the argument at `path` is mirrored into the header `Mcp-Param-<headerName>`. */
export interface HeaderDeclaration {
  readonly path: readonly string[];
  readonly headerName: string;
  readonly type: 'string' | 'integer' | 'boolean' | 'number';
}

/** The annotations of one input schema, or why the tool must not be offered. */
export type HeaderScan = { readonly ok: true; readonly declarations: readonly HeaderDeclaration[] } | { readonly ok: false; readonly reason: string };

const ANNOTATION = 'x-mcp-header';
const HEADER_PREFIX = 'Mcp-Param-';
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,128}$/;
// These read like credentials or routing of the hop itself, and an upstream could bait an agent into mirroring them.
const REFUSED_NAMES: ReadonlySet<string> = new Set(['authorization', 'proxy-authorization', 'cookie', 'set-cookie', 'host']);
const DEPTH_MAX = 64;

/** State of one walk over a schema. */
interface Walk {
  readonly declarations: HeaderDeclaration[];
  readonly names: Set<string>;
}

/**
 * Collects the `x-mcp-header` annotations of an input schema (MCP 2026-07-28, SEP-2243). An annotation is valid only on a
 * primitive property reached through `properties` alone, with a header token unique ignoring case; any other, anywhere in
 * the schema, makes the tool invalid. `number` is admitted because the conformance suite uses it.
 */
export function scanHeaderParams(inputSchema: unknown): HeaderScan {
  const walk: Walk = { declarations: [], names: new Set() };
  const reason = visit(inputSchema, [], walk);
  return reason === undefined ? { ok: true, declarations: walk.declarations } : { ok: false, reason };
}

function visit(schema: unknown, path: readonly string[], walk: Walk): string | undefined {
  if (!isJsonObject(schema)) return undefined;
  if (path.length > DEPTH_MAX) return 'the schema is nested too deeply';
  const reason = Object.hasOwn(schema, ANNOTATION) ? declare(schema, path, walk) : undefined;
  if (reason !== undefined) return reason;
  for (const [keyword, value] of Object.entries(schema)) {
    if (keyword === 'properties' && isJsonObject(value)) {
      for (const [key, child] of Object.entries(value)) {
        const fault = visit(child, [...path, key], walk);
        if (fault !== undefined) return fault;
      }
      // Values that are data, not schemas, may hold any text.
    } else if (!DATA_KEYWORDS.has(keyword) && hasAnnotation(value, 0)) {
      return `${ANNOTATION} is allowed only on properties reached through properties, not under ${keyword.slice(0, 64)}`;
    }
  }
  return undefined;
}

const DATA_KEYWORDS: ReadonlySet<string> = new Set(['const', 'default', 'enum', 'examples', ANNOTATION]);

function declare(schema: JsonObject, path: readonly string[], walk: Walk): string | undefined {
  const headerName = schema[ANNOTATION];
  const type = ownMember(schema, 'type');
  if (path.length === 0) return `${ANNOTATION} is not allowed on the root`;
  if (typeof headerName !== 'string' || !TOKEN.test(headerName)) return `${ANNOTATION} must be a header token of at most 128 characters`;
  if (type !== 'string' && type !== 'integer' && type !== 'boolean' && type !== 'number') return `${ANNOTATION} needs a property of primitive type`;
  const lower = headerName.toLowerCase();
  if (REFUSED_NAMES.has(lower)) return `${ANNOTATION} must not name ${lower}`;
  if (walk.names.has(lower)) return `${ANNOTATION} names ${lower} twice`;
  walk.names.add(lower);
  walk.declarations.push({ path, headerName, type });
  return undefined;
}

function hasAnnotation(value: unknown, depth: number): boolean {
  if (depth > DEPTH_MAX || value === null || typeof value !== 'object') return false;
  if (Array.isArray(value)) return value.some((element) => hasAnnotation(element, depth + 1));
  return Object.entries(value).some(([key, child]) => key === ANNOTATION || (!DATA_KEYWORDS.has(key) && hasAnnotation(child, depth + 1)));
}

/** The `Mcp-Param-*` headers that mirror these arguments, encoded; an argument that is absent, null or no primitive sends none. */
export function headerParamsOf(declarations: readonly HeaderDeclaration[], args: unknown): [name: string, value: string][] {
  const headers: [string, string][] = [];
  for (const declaration of declarations) {
    const text = primitiveText(valueAt(args, declaration.path));
    if (text !== undefined) headers.push([HEADER_PREFIX + declaration.headerName, encodeHeaderValue(text)]);
  }
  return headers;
}

/**
 * The first `Mcp-Param-*` header that does not say what the arguments say (missing, badly encoded or different: -32020), or
 * undefined. `headerOf` is asked with lower-case names. Numbers are compared as numbers; a header without argument is ignored.
 */
export function mismatchedHeaderParam(
  declarations: readonly HeaderDeclaration[],
  args: unknown,
  headerOf: (lowerCaseName: string) => string | undefined,
): string | undefined {
  for (const declaration of declarations) {
    const value = valueAt(args, declaration.path);
    const text = primitiveText(value);
    if (text === undefined) continue;
    const name = HEADER_PREFIX + declaration.headerName;
    const header = headerOf(name.toLowerCase());
    const decoded = header === undefined ? undefined : decodeHeaderValue(header);
    if (decoded === undefined) return name;
    const same = decoded === text || (typeof value === 'number' && /^-?\d+(\.\d+)?$/.test(decoded) && Number(decoded) === value);
    if (!same) return name;
  }
  return undefined;
}

function primitiveText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  if (typeof value !== 'number' || !Number.isFinite(value)) return undefined;
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? undefined : String(value);
}

function valueAt(args: unknown, path: readonly string[]): unknown {
  let value = args;
  for (const key of path) {
    if (!isJsonObject(value)) return undefined;
    value = ownMember(value, key);
  }
  return value;
}
