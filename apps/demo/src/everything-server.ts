import { createServer } from '@modelcontextprotocol/server-everything/dist/server/index.js';
import { legacyEndpoint } from './legacy-endpoint.js';
import { serveLoopback, type RunningServer } from './serve-loopback.js';

/**
 * The protocol's official reference server with every kind of tool, of the older era. Its own HTTP main would listen on all
 * interfaces and allow every origin, so its server object is served here, on loopback like the others.
 */
export function startEverything(port: number): Promise<RunningServer> {
  return serveLoopback(legacyEndpoint(createServer), port);
}
