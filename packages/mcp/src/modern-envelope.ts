import { META_CLIENT_CAPABILITIES, META_CLIENT_INFO, META_LOG_LEVEL, META_PROTOCOL_VERSION, MODERN_VERSION } from './eras.js';
import { isJsonObject, ownMember, type JsonObject } from './json-value.js';
import { refused, type RefusedMessage } from './refused-message.js';
import type { RequestId } from './request-id.js';

const LOG_LEVELS: ReadonlySet<unknown> = new Set(['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency']);

/** The raw value of the protocol-version claim, or undefined when the message makes none. */
export function claimedVersion(meta: JsonObject | undefined): unknown {
  return meta === undefined ? undefined : ownMember(meta, META_PROTOCOL_VERSION);
}

/** True when `_meta` is a complete envelope naming a revision of the modern era or a later one. */
export function claimsModern(meta: JsonObject | undefined): boolean {
  if (meta === undefined) return false;
  const version = claimedVersion(meta);
  return typeof version === 'string' && version >= MODERN_VERSION && envelopeFault(meta) === undefined;
}

/** The claimed version, or a refusal (-32602) when a required key is missing or mistyped; MCP 2026-07-28 §Request metadata. */
export function readEnvelope(meta: JsonObject, id: RequestId): string | RefusedMessage {
  const fault = envelopeFault(meta);
  const version = claimedVersion(meta);
  return fault === undefined && typeof version === 'string' ? version : refused(-32602, `Invalid _meta: ${fault ?? META_PROTOCOL_VERSION}`, id);
}

function envelopeFault(meta: JsonObject): string | undefined {
  if (typeof ownMember(meta, META_PROTOCOL_VERSION) !== 'string') return `${META_PROTOCOL_VERSION} must be a string`;
  const capabilities = ownMember(meta, META_CLIENT_CAPABILITIES);
  if (capabilities === undefined) return `${META_CLIENT_CAPABILITIES} is missing`;
  if (!isJsonObject(capabilities)) return `${META_CLIENT_CAPABILITIES} must be an object`;
  const info = ownMember(meta, META_CLIENT_INFO);
  if (info !== undefined && !isImplementation(info)) return `${META_CLIENT_INFO} must have a name and a version`;
  const level = ownMember(meta, META_LOG_LEVEL);
  if (level !== undefined && !LOG_LEVELS.has(level)) return `${META_LOG_LEVEL} is not a log level`;
  return undefined;
}

function isImplementation(value: unknown): boolean {
  return isJsonObject(value) && typeof ownMember(value, 'name') === 'string' && typeof ownMember(value, 'version') === 'string';
}
