import { checkHeaderVersion, checkRequestHeaders, unservedVersion, type McpHeaders } from './check-headers.js';
import { claimedVersion, claimsModern, readEnvelope } from './modern-envelope.js';
import {
  isModernVersion,
  MODERN_VERSION,
  ASSUMED_LEGACY_VERSION,
  META_CLIENT_CAPABILITIES,
  META_CLIENT_INFO,
  negotiateLegacyVersion,
  type Era,
} from './eras.js';
import { isJsonObject, ownMember, type JsonObject } from './json-value.js';
import { readShape, type MessageShape, type RequestShape, type NotificationShape } from './message-shape.js';
import { refused, type RefusedMessage } from './refused-message.js';
import type { RequestId } from './request-id.js';

/** A JSON-RPC request whose era, envelope and headers are in order. */
export interface ClassifiedRequest {
  readonly kind: 'request';
  readonly era: Era;
  /** The revision to serve it under; for `initialize` the negotiated one. */
  readonly version: string;
  readonly method: string;
  readonly id: RequestId;
  readonly params: JsonObject | undefined;
  readonly meta: JsonObject | undefined;
  readonly progressToken?: RequestId | undefined;
  readonly clientInfo?: JsonObject | undefined;
  readonly clientCapabilities?: JsonObject | undefined;
}

/** A JSON-RPC notification; answered with 202 and no body. */
export interface ClassifiedNotification {
  readonly kind: 'notification';
  readonly era: Era;
  readonly version: string;
  readonly method: string;
  readonly params: JsonObject | undefined;
  readonly meta: JsonObject | undefined;
}

/** A posted answer to a server's request: legacy only, and only the session that was asked may give it. */
export interface ClassifiedResponse {
  readonly kind: 'response';
  readonly era: 'legacy';
  readonly version: string;
  readonly id: RequestId;
  readonly message: JsonObject;
}

/** A 2025-03-26 batch: 1 to 100 legacy messages with distinct request ids. */
export interface ClassifiedBatch {
  readonly kind: 'batch';
  readonly era: 'legacy';
  readonly version: string;
  readonly messages: readonly (ClassifiedRequest | ClassifiedNotification | ClassifiedResponse)[];
}

/** What one POST body is. `refused` carries the HTTP status and the JSON-RPC error to answer with. */
export type Classified = ClassifiedRequest | ClassifiedNotification | ClassifiedResponse | ClassifiedBatch | RefusedMessage;

/** Most messages in one batch. */
export const BATCH_MESSAGES_MAX = 100;

/**
 * Decides once, from the body, what a POST is and which era it belongs to; headers are checked against it and never decide
 * alone. Everything it does not refuse has a sound JSON-RPC shape, id and envelope, and headers that say what the body says.
 */
export function classifyMessage(body: unknown, headers: McpHeaders): Classified {
  if (Array.isArray(body)) return classifyBatch(body, headers);
  const shape = readShape(body);
  switch (shape.kind) {
    case 'refused':
      return shape;
    case 'request':
      return classifyRequest(shape, headers);
    case 'notification':
      return classifyNotification(shape, headers);
    case 'response':
      return classifyResponse(shape, headers);
  }
}

function classifyRequest(shape: RequestShape, headers: McpHeaders): Classified {
  const { method, id, params, meta } = shape;
  if (method === 'initialize' && !claimsModern(meta)) {
    if (headers.protocolVersion !== undefined && headers.protocolVersion >= MODERN_VERSION) {
      return refused(
        -32020,
        'initialize belongs to the legacy era, the MCP-Protocol-Version header does not',
        id,
        headerData('MCP-Protocol-Version'),
      );
    }
    return legacyRequest(shape, negotiateLegacyVersion(params && ownMember(params, 'protocolVersion')));
  }
  if (meta === undefined || claimedVersion(meta) === undefined) {
    return checkHeaderVersion(headers.protocolVersion, id) ?? legacyRequest(shape, headers.protocolVersion ?? ASSUMED_LEGACY_VERSION);
  }
  const version = readEnvelope(meta, id);
  const fault = typeof version === 'string' ? checkRequestHeaders(shape, version, headers) : version;
  if (fault !== undefined) return fault;
  return {
    kind: 'request',
    era: 'modern',
    version: MODERN_VERSION,
    method,
    id,
    params,
    meta,
    progressToken: shape.progressToken,
    clientInfo: objectMember(meta, META_CLIENT_INFO),
    clientCapabilities: objectMember(meta, META_CLIENT_CAPABILITIES),
  };
}

function legacyRequest(shape: RequestShape, version: string): ClassifiedRequest {
  const { method, id, params, meta, progressToken } = shape;
  const handshake = method === 'initialize' ? params : undefined;
  return {
    kind: 'request',
    era: 'legacy',
    version,
    method,
    id,
    params,
    meta,
    progressToken,
    clientInfo: handshake && objectMember(handshake, 'clientInfo'),
    clientCapabilities: handshake && objectMember(handshake, 'capabilities'),
  };
}

function classifyNotification(shape: NotificationShape, headers: McpHeaders): Classified {
  const { method, params, meta } = shape;
  const claim = claimedVersion(meta);
  const header = headers.protocolVersion;
  // Notifications need no envelope, so here, and only here, the header may name the modern era by itself.
  const modern = claim !== undefined || header === MODERN_VERSION;
  if (!modern) {
    const fault = checkHeaderVersion(header, null);
    return fault ?? { kind: 'notification', era: 'legacy', version: header ?? ASSUMED_LEGACY_VERSION, method, params, meta };
  }
  if (claim !== undefined && typeof claim !== 'string') return refused(-32602, 'The protocolVersion in _meta must be a string', null);
  if (claim !== undefined && header !== undefined && claim !== header) {
    return refused(-32020, 'The MCP-Protocol-Version header and the body name different versions', null, headerData('MCP-Protocol-Version'));
  }
  if (claim !== undefined && !isModernVersion(claim)) return unservedVersion(claim, null);
  if (headers.method !== undefined && headers.method !== method) {
    return refused(-32020, 'The Mcp-Method header and the body name different methods', null, headerData('Mcp-Method'));
  }
  return { kind: 'notification', era: 'modern', version: MODERN_VERSION, method, params, meta };
}

function classifyResponse(shape: Extract<MessageShape, { kind: 'response' }>, headers: McpHeaders): Classified {
  const header = headers.protocolVersion;
  if (header === MODERN_VERSION) return refused(-32600, 'Clients of this protocol version send no responses', shape.id);
  const fault = checkHeaderVersion(header, shape.id);
  return fault ?? { kind: 'response', era: 'legacy', version: header ?? ASSUMED_LEGACY_VERSION, id: shape.id, message: shape.message };
}

function classifyBatch(body: readonly unknown[], headers: McpHeaders): Classified {
  const header = headers.protocolVersion;
  if (header !== undefined && header !== ASSUMED_LEGACY_VERSION) return refused(-32600, 'This protocol version has no batches', null);
  if (body.length === 0 || body.length > BATCH_MESSAGES_MAX) {
    return refused(-32600, `A batch holds 1 to ${String(BATCH_MESSAGES_MAX)} messages`, null);
  }
  const ids = new Set<RequestId>();
  const messages: (ClassifiedRequest | ClassifiedNotification | ClassifiedResponse)[] = [];
  for (const element of body) {
    const shape = readShape(element);
    if (shape.kind === 'refused') return refused(-32600, 'The batch holds something that is not a JSON-RPC message', null);
    if (shape.kind === 'response') {
      messages.push({ kind: 'response', era: 'legacy', version: ASSUMED_LEGACY_VERSION, id: shape.id, message: shape.message });
      continue;
    }
    if (claimedVersion(shape.meta) !== undefined) return refused(-32600, 'A message of the modern era cannot be batched', null);
    if (shape.kind === 'notification') {
      messages.push({
        kind: 'notification',
        era: 'legacy',
        version: ASSUMED_LEGACY_VERSION,
        method: shape.method,
        params: shape.params,
        meta: shape.meta,
      });
      continue;
    }
    if (shape.method === 'initialize') return refused(-32600, 'initialize cannot be batched', null);
    // Two answers under one id could not be told apart.
    if (ids.has(shape.id)) return refused(-32600, 'Two requests of the batch have the same id', null);
    ids.add(shape.id);
    messages.push(legacyRequest(shape, ASSUMED_LEGACY_VERSION));
  }
  return { kind: 'batch', era: 'legacy', version: ASSUMED_LEGACY_VERSION, messages };
}

function headerData(header: string): { mismatch: { header: string } } {
  return { mismatch: { header } };
}

function objectMember(object: JsonObject, key: string): JsonObject | undefined {
  const value = ownMember(object, key);
  return isJsonObject(value) ? value : undefined;
}
