/** `legacy` has a handshake and sessions (up to 2025-11-25); `modern` is stateless (from 2026-07-28). */
export type Era = 'legacy' | 'modern';

/** The first stateless revision, and the newest served. */
export const MODERN_VERSION = '2026-07-28';

/** The revision of a legacy request that names none (Streamable HTTP, 2025-06-18 §Protocol Version Header). */
export const ASSUMED_LEGACY_VERSION = '2025-03-26';

/** Every revision served, newest first within its era. */
export const PROTOCOL_VERSIONS = {
  legacy: ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'],
  modern: [MODERN_VERSION],
} as const;

const LEGACY: ReadonlySet<string> = new Set(PROTOCOL_VERSIONS.legacy);
const MODERN: ReadonlySet<string> = new Set(PROTOCOL_VERSIONS.modern);

/** True when the revision is a served one of the legacy era. */
export function isLegacyVersion(version: string): boolean {
  return LEGACY.has(version);
}

/** True when the revision is a served one of the modern era. */
export function isModernVersion(version: string): boolean {
  return MODERN.has(version);
}

/** The revision to answer a legacy `initialize` with: the one asked for when served, else the newest legacy one. */
export function negotiateLegacyVersion(requested: unknown): string {
  return typeof requested === 'string' && isLegacyVersion(requested) ? requested : PROTOCOL_VERSIONS.legacy[0];
}

/** `params._meta` key: the revision a modern request claims. Its presence decides the era. */
export const META_PROTOCOL_VERSION = 'io.modelcontextprotocol/protocolVersion';
/** `params._meta` key: what the client can do; required on modern requests. */
export const META_CLIENT_CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities';
/** `params._meta` key: name and version of the client. */
export const META_CLIENT_INFO = 'io.modelcontextprotocol/clientInfo';
/** `params._meta` key: the log level a modern request asks for. */
export const META_LOG_LEVEL = 'io.modelcontextprotocol/logLevel';
/** Result `_meta` key: name and version of the answering server. */
export const META_SERVER_INFO = 'io.modelcontextprotocol/serverInfo';
/** Message `_meta` key: the JSON-RPC id of the listen request a notification belongs to. */
export const META_SUBSCRIPTION_ID = 'io.modelcontextprotocol/subscriptionId';

/** Reserved request keys that a hop re-creates and never forwards. */
export const RESERVED_REQUEST_META: readonly string[] = [META_PROTOCOL_VERSION, META_CLIENT_CAPABILITIES, META_CLIENT_INFO, META_LOG_LEVEL];
