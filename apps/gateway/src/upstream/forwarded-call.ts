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
import { passesOn } from '../audit/trace-context.js';
import type { LogLevel } from '../session/log-level.js';

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

const NO_PARAMS: JsonObject = {};
const NO_HEADERS: readonly string[] = [];
const UNFORWARDED_META: ReadonlySet<string> = new Set([...RESERVED_REQUEST_META, 'progressToken']);

/**
 * Writes a call anew from what was parsed and authorised: the same params with the server's own name, `_meta` without what belongs to the agent's
 * hop, our own progress token where the agent asked for progress.
 */
export function forwardCall(call: ClassifiedRequest, forwarding: Forwarding): ForwardedCall {
  const { id, nameMember, name, argumentsJson, era } = forwarding;
  const params = call.params ?? NO_PARAMS;
  let body = `{"jsonrpc":"2.0","id":"${id}","method":${JSON.stringify(call.method)},"params":{"${nameMember}":`;
  body += nameMember === 'ref' ? JSON.stringify(referenceTo(name, params)) : JSON.stringify(name);
  if (argumentsJson !== undefined) body += `,"arguments":${argumentsJson}`;
  for (const key in params) {
    if (key === nameMember || key === 'arguments' || key === '_meta' || !Object.hasOwn(params, key)) continue;
    body += `,${JSON.stringify(key)}:${JSON.stringify(params[key])}`;
  }
  const meta = forwardedMeta(call, forwarding);
  body += meta === '' ? '}}' : `,"_meta":{${meta}}}}`;
  return { id, body, headers: era === 'modern' ? modernHeaders(call, forwarding) : NO_HEADERS };
}

/** The members of the `_meta` that goes on, as JSON without the braces. */
function forwardedMeta(call: ClassifiedRequest, { id, era, clientInfo, clientCapabilities, logLevel }: Forwarding): string {
  const { meta } = call;
  let members = '';
  for (const key in meta) {
    if (UNFORWARDED_META.has(key) || !Object.hasOwn(meta, key) || !passesOn(key, meta)) continue;
    members += `${members === '' ? '' : ','}${JSON.stringify(key)}:${JSON.stringify(meta[key])}`;
  }
  // Tokens of two agents may be equal; ours are not.
  if (call.progressToken !== undefined) members += `${members === '' ? '' : ','}"progressToken":"${id}"`;
  if (era === 'legacy') return members;
  members += `${members === '' ? '' : ','}"${META_PROTOCOL_VERSION}":"${MODERN_VERSION}","${META_CLIENT_INFO}":${ownInfo(clientInfo)}`;
  members += `,"${META_CLIENT_CAPABILITIES}":${JSON.stringify(clientCapabilities)}`;
  return logLevel === undefined ? members : `${members},"${META_LOG_LEVEL}":"${logLevel}"`;
}

const infoJson = new WeakMap<Implementation, string>();

/** What this gateway says it is, written once. */
function ownInfo(info: Implementation): string {
  const known = infoJson.get(info);
  if (known !== undefined) return known;
  const json = JSON.stringify(info);
  infoJson.set(info, json);
  return json;
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
