import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Gateway } from './gateway.js';
import { handleMcp } from './handle-mcp.js';

/** The listener agents connect to. */
export interface GatewayServer {
  readonly port: number;
  /** Takes no more requests, waits for those in progress up to `graceMs`, then ends what is left. */
  close(graceMs: number): Promise<void>;
}

const HEADERS_MS_MAX = 10_000;
const REQUEST_MS_MAX = 25_000;
const CHECK_EVERY_MS = 2000;
const IDLE_MS_MAX = 75_000;
const SWEEP_MS = 50;
const HEADER_BYTES_MAX = 16 * 1024;
const CONNECTIONS_MAX = 20_000;
const BACKLOG = 4096;

/**
 * Serves the data path on plain `node:http` (docs/adr/0006). Its parser refuses ambiguous framing; headers must be there within 10 s and the whole
 * request within 25 s.
 */
export async function startServer(gateway: Gateway, at: { host: string; port: number }): Promise<GatewayServer> {
  const server = createServer(
    {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: HEADERS_MS_MAX,
      requestTimeout: REQUEST_MS_MAX,
      connectionsCheckingInterval: CHECK_EVERY_MS,
      keepAliveTimeout: IDLE_MS_MAX,
      noDelay: true,
    },
    (request, response) => {
      handleMcp(request, response, gateway).catch((error: unknown) => {
        gateway.logError(error, 'A request ended without an answer');
        response.destroy();
      });
    },
  );
  server.maxConnections = CONNECTIONS_MAX;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ ...at, backlog: BACKLOG }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return { port: (server.address() as AddressInfo).port, close: (graceMs) => close(server, graceMs) };
}

async function close(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  server.closeIdleConnections();
  // A connection whose answer has just ended is idle, and would wait for a next request until its keep-alive runs out.
  const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS);
  const timer = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearInterval(sweep);
  clearTimeout(timer);
}
