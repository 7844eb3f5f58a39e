import {
  encodeHeaderValue,
  headerParamsOf,
  isJsonObject,
  META_CLIENT_CAPABILITIES,
  META_CLIENT_INFO,
  META_LOG_LEVEL,
  META_PROTOCOL_VERSION,
  MODERN_VERSION,
  ownMember,
  RESERVED_REQUEST_META,
  type ClassifiedRequest,
  type Era,
  type HeaderDeclaration,
  type Implementation,
  type JsonObject,
} from '@portcullis/mcp';
import type { LogLevel } from '../log-level.js';
import { passesOn } from '../trace-context.js';

/** A call as it goes to its server: our own id and name for it, and nothing of the agent's connection. */
export interface ForwardedCall {
  readonly id: string;
  readonly body: string;
  /** Beside those every message has. */
  readonly headers: readonly string[];
}

/** What of a call changes on the way. */
export interface Forwarding {
  readonly id: string;
  readonly era: Era;
  readonly nameMember: 'name' | 'uri' | 'ref';
  readonly name: string;
  /** The least urgent log messages that the server is asked for, where it is asked for any. */
  readonly logLevel: LogLevel | undefined;
  readonly argumentsJson: string | undefined;
  readonly declarations: readonly HeaderDeclaration[];
  readonly clientInfo: Implementation;
  /** What a modern server may ask in its results. */
  readonly clientCapabilities: JsonObject;
}

const UNFORWARDED_META: ReadonlySet<string> = new Set([...RESERVED_REQUEST_META, 'progressToken']);

/**
 * Writes a call anew from what was parsed and authorised: the same params with the server's own name, `_meta` without what belongs to the agent's
 * hop, our own progress token where the agent asked for progress.
 */
export function forwardCall(call: ClassifiedRequest, forwarding: Forwarding): ForwardedCall {
  const { id, nameMember, name, argumentsJson, era } = forwarding;
  const params = call.params ?? {};
  const members = [`${JSON.stringify(nameMember)}:${JSON.stringify(nameMember === 'ref' ? referenceTo(name, params) : name)}`];
  if (argumentsJson !== undefined) members.push(`"arguments":${argumentsJson}`);
  for (const [key, value] of Object.entries(params)) {
    if (key !== nameMember && key !== 'arguments' && key !== '_meta') members.push(`${JSON.stringify(key)}:${JSON.stringify(value)}`);
  }
  const meta = forwardedMeta(call, forwarding);
  if (meta !== undefined) members.push(`"_meta":${JSON.stringify(meta)}`);
  const body = `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"method":${JSON.stringify(call.method)},"params":{${members.join(',')}}}`;
  return { id, body, headers: era === 'modern' ? modernHeaders(call, forwarding) : [] };
}

function forwardedMeta(call: ClassifiedRequest, { id, era, clientInfo, clientCapabilities, logLevel }: Forwarding): JsonObject | undefined {
  const meta: Record<string, unknown> = {};
  let members = 0;
  for (const [key, value] of Object.entries(call.meta ?? {})) {
    if (UNFORWARDED_META.has(key) || (call.meta !== undefined && !passesOn(key, call.meta))) continue;
    meta[key] = value;
    members += 1;
  }
  // Tokens of two agents may be equal; ours are not.
  if (call.progressToken !== undefined) meta['progressToken'] = id;
  if (era === 'legacy') return members > 0 || call.progressToken !== undefined ? meta : undefined;
  meta[META_PROTOCOL_VERSION] = MODERN_VERSION;
  meta[META_CLIENT_INFO] = clientInfo;
  meta[META_CLIENT_CAPABILITIES] = clientCapabilities;
  if (logLevel !== undefined) meta[META_LOG_LEVEL] = logLevel;
  return meta;
}

/** What a completion is about, under the server's own name for it. */
function referenceTo(name: string, params: JsonObject): unknown {
  const reference = ownMember(params, 'ref');
  if (!isJsonObject(reference)) return undefined;
  return ownMember(reference, 'type') === 'ref/prompt' ? { ...reference, name } : { ...reference, uri: name };
}

function modernHeaders(call: ClassifiedRequest, { name, nameMember, declarations }: Forwarding): string[] {
  const headers = ['mcp-protocol-version', MODERN_VERSION, 'mcp-method', call.method];
  if (nameMember !== 'ref') headers.push('mcp-name', encodeHeaderValue(name));
  const args = call.params === undefined ? undefined : ownMember(call.params, 'arguments');
  if (declarations.length > 0 && isJsonObject(args)) headers.push(...headerParamsOf(declarations, args).flat());
  return headers;
}
