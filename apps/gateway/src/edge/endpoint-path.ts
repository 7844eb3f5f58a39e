/** Where protected resources describe themselves (RFC 9728 §3). */
export const METADATA_PATH = '/.well-known/oauth-protected-resource';
const ENDPOINT = /^\/servers\/[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?\/mcp$/;

/** The endpoint whose metadata (RFC 9728 §3.1) lies at this path, empty for the gateway as a whole; undefined for every other path. */
export function describedEndpoint(path: string): string | undefined {
  if (!path.startsWith(METADATA_PATH)) return undefined;
  const endpoint = path.slice(METADATA_PATH.length);
  return endpoint === '' || endpoint === '/mcp' || ENDPOINT.test(endpoint) ? endpoint : undefined;
}

/** The path of an endpoint; what a slug names is not asked, so that nobody learns which servers there are. */
export const endpointPath = (slug: string | null): string => (slug === null ? '/mcp' : `/servers/${slug}/mcp`);
