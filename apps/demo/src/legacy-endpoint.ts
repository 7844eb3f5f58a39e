import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { McpEndpoint } from './serve-loopback.js';

/** A server object made for one session, and what to do when that session ends. */
export interface SessionServer {
  readonly server: McpServer;
  cleanup?(sessionId: string): void;
}

/**
 * An endpoint of the older protocol era: `initialize` opens a session and every later request names it. It knows nothing
 * of 2026-07-28. The oldest session is closed when one too many is opened, since a client that vanished never says so.
 */
export function legacyEndpoint(create: () => SessionServer, sessionsMax = 1000): McpEndpoint {
  const sessions = new Map<string, StreamableHTTPServerTransport>();

  async function open(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const created = create();
    const { server } = created;
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: async (sessionId) => {
        sessions.set(sessionId, transport);
        const [oldest] = sessions.values();
        if (sessions.size > sessionsMax) await oldest?.close();
      },
    });
    server.server.onclose = () => {
      if (transport.sessionId === undefined) return;
      sessions.delete(transport.sessionId);
      created.cleanup?.(transport.sessionId);
    };
    await server.connect(transport);
    await transport.handleRequest(request, response);
    // Anything but a handshake was refused by the transport and left no session behind.
    if (transport.sessionId === undefined) await server.close();
  }

  return {
    async handle(request, response) {
      const sessionId = request.headers['mcp-session-id'];
      if (sessionId === undefined) return open(request, response);
      const transport = sessions.get(String(sessionId));
      if (transport) return transport.handleRequest(request, response);
      response.writeHead(404, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ jsonrpc: '2.0', id: null, error: { code: -32001, message: 'Session not found' } }));
    },
    async close() {
      await Promise.all([...sessions.values()].map((transport) => transport.close()));
    },
  };
}
