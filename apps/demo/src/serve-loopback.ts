import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { localhostHostValidation, localhostOriginValidation } from '@modelcontextprotocol/node';

/** The MCP side of a demo server: answers whatever arrives at `/mcp`. */
export interface McpEndpoint {
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  close(): Promise<void>;
}

/** A demo server that listens; `url` ends in `/mcp`. */
export interface RunningServer {
  readonly url: string;
  close(): Promise<void>;
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/**
 * Serves an endpoint at `/mcp` and a health answer at `/healthz`, on 127.0.0.1 only. Requests with a foreign `Host` or
 * `Origin` get 403, so that a page in a browser on this machine cannot reach the tools by DNS rebinding.
 */
export async function serveLoopback(endpoint: McpEndpoint, port: number): Promise<RunningServer> {
  const hostAllowed = localhostHostValidation();
  const originAllowed = localhostOriginValidation();
  const server = createServer((request, response) => {
    if (!hostAllowed(request, response) || !originAllowed(request, response)) return;
    const path = request.url?.split('?', 1)[0];
    if (path === '/healthz') return answer(response, 200, { status: 'ok' });
    if (path !== '/mcp') return answer(response, 404, { error: 'not found' });
    endpoint.handle(request, response).catch((error: unknown) => {
      console.error('request failed:', error);
      if (response.headersSent) return response.destroy();
      answer(response, 500, { jsonrpc: '2.0', id: null, error: { code: -32603, message: 'Internal error' } });
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    async close() {
      await endpoint.close();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Runs a demo server as this process: says where it listens, and stops on SIGINT or SIGTERM. */
export async function runServer(name: string, starting: Promise<RunningServer>): Promise<void> {
  const server = await starting;
  console.log(`${name} listening on ${server.url}`);
  const stop = (): void => {
    server.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}
