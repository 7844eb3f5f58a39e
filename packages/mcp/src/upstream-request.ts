import { nameMemberOf } from './check-headers.js';
import { META_CLIENT_CAPABILITIES, META_CLIENT_INFO, META_LOG_LEVEL, META_PROTOCOL_VERSION, MODERN_VERSION, RESERVED_REQUEST_META } from './eras.js';
import { headerParamsOf, type HeaderDeclaration } from './header-params.js';
import { encodeHeaderValue } from './header-values.js';
import { ownMember, type JsonObject } from './json-value.js';
import type { Implementation } from './messages.js';

/** What the gateway says of itself in the envelope of a request to a modern server. */
export interface UpstreamEnvelope {
  readonly clientInfo: Implementation;
  readonly clientCapabilities: JsonObject;
  readonly logLevel?: string | undefined;
}

/**
 * `_meta` for the next hop: the reserved keys of the agent's request are taken out, and for a modern server written anew. All
 * other keys pass. Undefined when nothing is left.
 */
export function upstreamMeta(meta: JsonObject | undefined, envelope?: UpstreamEnvelope): JsonObject | undefined {
  const next: Record<string, unknown> = { ...meta };
  for (const key of RESERVED_REQUEST_META) delete next[key];
  if (envelope !== undefined) {
    next[META_PROTOCOL_VERSION] = MODERN_VERSION;
    next[META_CLIENT_INFO] = envelope.clientInfo;
    next[META_CLIENT_CAPABILITIES] = envelope.clientCapabilities;
    if (envelope.logLevel !== undefined) next[META_LOG_LEVEL] = envelope.logLevel;
  }
  return Object.keys(next).length === 0 ? undefined : next;
}

/** The MCP headers that a request to a modern server must carry, taken from the params that are sent, already encoded. */
export function upstreamHeaders(method: string, params: JsonObject | undefined, declarations: readonly HeaderDeclaration[] = []): [string, string][] {
  const headers: [string, string][] = [
    ['MCP-Protocol-Version', MODERN_VERSION],
    ['Mcp-Method', encodeHeaderValue(method)],
  ];
  const member = nameMemberOf(method);
  const name = member === undefined ? undefined : params && ownMember(params, member);
  if (typeof name === 'string') headers.push(['Mcp-Name', encodeHeaderValue(name)]);
  if (declarations.length > 0) headers.push(...headerParamsOf(declarations, params && ownMember(params, 'arguments')));
  return headers;
}
