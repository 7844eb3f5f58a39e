import { META_SERVER_INFO, PROTOCOL_VERSIONS, type Era } from './eras.js';
import type { DefinitionKey } from './definition-shape.js';
import type { JsonObject } from './json-value.js';
import type { RequestId } from './request-id.js';

/** Name and version a server gives of itself. */
export interface Implementation {
  readonly name: string;
  readonly version: string;
  readonly title?: string | undefined;
}

/** What a result of either era needs to know about its answerer. */
export interface ResultOptions {
  readonly era: Era;
  /** Added to modern results; the legacy era says it once, at `initialize`. */
  readonly serverInfo: Implementation;
}

/** A list's page: the cursor of the next one, and how long a modern client may keep it. */
export interface ListOptions extends ResultOptions {
  readonly nextCursor?: string | undefined;
  readonly ttlMs?: number | undefined;
}

/** A JSON-RPC result message around a result that is already encoded. */
export function resultMessage(id: RequestId, resultJson: string): string {
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${resultJson}}`;
}

/** A JSON-RPC error message; a null id is for requests whose id could not be read. */
export function errorMessage(id: RequestId | null, code: number, message: string, data?: unknown): string {
  return JSON.stringify({ jsonrpc: '2.0', id, error: data === undefined ? { code, message } : { code, message, data } });
}

/** A JSON-RPC request message. */
export function requestMessage(id: RequestId, method: string, params?: JsonObject): string {
  return JSON.stringify({ jsonrpc: '2.0', id, method, params });
}

/** A JSON-RPC notification message. */
export function notificationMessage(method: string, params?: JsonObject): string {
  return JSON.stringify({ jsonrpc: '2.0', method, params });
}

/** The result of a legacy `initialize`. */
export function initializeResult(answer: {
  readonly protocolVersion: string;
  readonly capabilities: JsonObject;
  readonly serverInfo: Implementation;
  readonly instructions?: string | undefined;
}): string {
  const { protocolVersion, capabilities, serverInfo, instructions } = answer;
  return JSON.stringify({ protocolVersion, capabilities, serverInfo, instructions });
}

/** The result of a modern `server/discover`; private to the agent, since what it may see is its own. */
export function discoverResult(answer: {
  readonly capabilities: JsonObject;
  readonly serverInfo: Implementation;
  readonly instructions?: string | undefined;
  readonly ttlMs?: number | undefined;
}): string {
  return JSON.stringify({
    supportedVersions: PROTOCOL_VERSIONS.modern,
    capabilities: answer.capabilities,
    instructions: answer.instructions,
    resultType: 'complete',
    ttlMs: answer.ttlMs ?? 0,
    cacheScope: 'private',
    _meta: { [META_SERVER_INFO]: answer.serverInfo },
  });
}

/** What stands before and after the definitions of a list result; a list is head, pieces joined by commas, tail. */
export function listFrame(key: DefinitionKey, options: ListOptions): { readonly head: string; readonly tail: string } {
  const { era, nextCursor, ttlMs, serverInfo } = options;
  const cursor = nextCursor === undefined ? '' : `,"nextCursor":${JSON.stringify(nextCursor)}`;
  const modern =
    era === 'legacy'
      ? ''
      : `,"resultType":"complete","ttlMs":${String(ttlMs ?? 0)},"cacheScope":"private","_meta":{"${META_SERVER_INFO}":${JSON.stringify(serverInfo)}}`;
  return { head: `{"${key}":[`, tail: `]${cursor}${modern}}` };
}

/** The empty result, as `ping` has it. */
export function emptyResult({ era, serverInfo }: ResultOptions): string {
  return era === 'legacy' ? '{}' : JSON.stringify({ resultType: 'complete', _meta: { [META_SERVER_INFO]: serverInfo } });
}

/** The result of a completion that knows of nothing to complete with. */
export function completionResult({ era, serverInfo }: ResultOptions): string {
  const result = { completion: { values: [], total: 0, hasMore: false } };
  return JSON.stringify(era === 'legacy' ? result : { ...result, resultType: 'complete', _meta: { [META_SERVER_INFO]: serverInfo } });
}

/** A tool result of ours: the same for a program and for a model. */
export function toolResult(structuredContent: JsonObject, text: string, { era, serverInfo }: ResultOptions): string {
  const result = { content: [{ type: 'text', text }], structuredContent };
  return JSON.stringify(era === 'legacy' ? result : { ...result, resultType: 'complete', _meta: { [META_SERVER_INFO]: serverInfo } });
}

/** A tool result that tells the model, not the client, that the call failed. */
export function toolErrorResult(text: string, { era, serverInfo }: ResultOptions): string {
  const result = { content: [{ type: 'text', text }], isError: true };
  return JSON.stringify(era === 'legacy' ? result : { ...result, resultType: 'complete', _meta: { [META_SERVER_INFO]: serverInfo } });
}
