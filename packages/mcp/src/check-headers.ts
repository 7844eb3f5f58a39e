import { isLegacyVersion, isModernVersion, MODERN_VERSION, PROTOCOL_VERSIONS } from './eras.js';
import { decodeHeaderValue } from './header-values.js';
import { ownMember } from './json-value.js';
import type { RequestShape } from './message-shape.js';
import { refused, type RefusedMessage } from './refused-message.js';
import type { RequestId } from './request-id.js';

/** The MCP headers of one request; each was sent at most once. */
export interface McpHeaders {
  /** `MCP-Protocol-Version` */
  readonly protocolVersion?: string | undefined;
  /** `Mcp-Method` */
  readonly method?: string | undefined;
  /** `Mcp-Name` */
  readonly name?: string | undefined;
  /** `Mcp-Session-Id`; legacy only, not judged here. */
  readonly sessionId?: string | undefined;
}

const NAME_MEMBERS: ReadonlyMap<string, string> = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
  ['tasks/get', 'taskId'],
  ['tasks/update', 'taskId'],
  ['tasks/cancel', 'taskId'],
]);
const REQUESTED_CHARS_MAX = 64;

/** The member of `params` that `Mcp-Name` mirrors for this method, if any. */
export function nameMemberOf(method: string): string | undefined {
  return NAME_MEMBERS.get(method);
}

/**
 * Judges the version header of a message that makes no claim of its own: absent or served legacy is fine, the modern one
 * lacks its envelope (-32602), any other is not served (-32022).
 */
export function checkHeaderVersion(version: string | undefined, id: RequestId | null): RefusedMessage | undefined {
  if (version === undefined || isLegacyVersion(version)) return undefined;
  if (version === MODERN_VERSION) return refused(-32602, 'This protocol version needs its envelope in params._meta', id);
  return unsupported(version, id, [...PROTOCOL_VERSIONS.modern, ...PROTOCOL_VERSIONS.legacy]);
}

/** Refuses (-32022) a claimed version; it names the modern ones only, since no other can be claimed in an envelope. */
export function unservedVersion(version: string, id: RequestId | null): RefusedMessage {
  return unsupported(version, id, PROTOCOL_VERSIONS.modern);
}

function unsupported(version: string, id: RequestId | null, supported: readonly string[]): RefusedMessage {
  return refused(-32022, 'Unsupported protocol version', id, { supported, requested: version.slice(0, REQUESTED_CHARS_MAX) });
}

/**
 * Compares the headers of a modern request with its body: disagreement is -32020 before an unserved version (-32022), and a
 * missing header is -32020 after it, so a client of a later revision learns the versions first.
 */
export function checkRequestHeaders(shape: RequestShape, version: string, headers: McpHeaders): RefusedMessage | undefined {
  if (headers.protocolVersion !== undefined && headers.protocolVersion !== version) return differs('MCP-Protocol-Version', shape.id);
  if (headers.method !== undefined && headers.method !== shape.method) return differs('Mcp-Method', shape.id);
  if (!isModernVersion(version)) return unservedVersion(version, shape.id);
  if (headers.protocolVersion === undefined) return missing('MCP-Protocol-Version', shape.id);
  if (headers.method === undefined) return missing('Mcp-Method', shape.id);
  const member = nameMemberOf(shape.method);
  if (member === undefined) return undefined;
  const value = shape.params && ownMember(shape.params, member);
  if (headers.name === undefined) return typeof value === 'string' ? missing('Mcp-Name', shape.id) : undefined;
  const decoded = decodeHeaderValue(headers.name);
  return decoded === undefined || (typeof value === 'string' && decoded !== value) ? differs('Mcp-Name', shape.id) : undefined;
}

function differs(header: string, id: RequestId): RefusedMessage {
  return refused(-32020, `The ${header} header and the body disagree`, id, { mismatch: { header } });
}

function missing(header: string, id: RequestId): RefusedMessage {
  return refused(-32020, `The ${header} header is missing`, id, { mismatch: { header } });
}
