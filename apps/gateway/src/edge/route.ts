import { describedEndpoint } from './endpoint-path.js';

/** Which endpoint a request came to: `slug` is null for `/mcp`, else the server of `/servers/<slug>/mcp`, registered or not. */
export interface Route {
  readonly slug: string | null;
  /** Where agents exchange their keys; nothing of MCP. */
  readonly isTaskKeys?: true;
  /** Where it is asked how to get access tokens: the path of the endpoint they are for, empty for all of the gateway. */
  readonly describes?: string;
}

const ALL: Route = { slug: null };
const TASK_KEYS: Route = { slug: null, isTaskKeys: true };
const ONE = /^\/servers\/([a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?)\/mcp$/;

/** The endpoint of a request target, or undefined. Paths are compared as they were sent: no decoding, no folding, no trailing slash. */
export function routeOf(target: string): Route | undefined {
  if (target === '/mcp') return ALL;
  const query = target.indexOf('?');
  const path = query < 0 ? target : target.slice(0, query);
  if (path === '/mcp') return ALL;
  if (path === '/task-keys') return TASK_KEYS;
  const slug = ONE.exec(path)?.[1];
  if (slug !== undefined) return { slug };
  const describes = describedEndpoint(path);
  return describes === undefined ? undefined : { slug: null, describes };
}
