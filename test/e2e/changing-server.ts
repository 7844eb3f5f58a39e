import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { McpServer as LegacyServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';

/** A real server of one era with one tool, `work`, whose description can change while it is called. */
export interface ChangingServer {
  readonly url: string;
  /** Calls that ran. */
  ran(): number;
  /** Who listens for changes now. */
  listeners(): number;
  /** Changes the description and tells whoever listens, or nobody. */
  change(description: string, options: { tell: boolean }): void;
  close(): Promise<void>;
}

interface Peer {
  readonly handle: (request: IncomingMessage, response: ServerResponse) => unknown;
  readonly isListening: (request: IncomingMessage) => boolean;
  readonly tell: () => void;
  readonly close?: () => Promise<void>;
}

interface Tool {
  description: string;
  run: () => { content: { type: 'text'; text: string }[] };
}

export async function startChangingServer(era: 'legacy' | 'modern'): Promise<ChangingServer> {
  let ran = 0;
  let listeners = 0;
  const run: Tool['run'] = () => {
    ran += 1;
    return { content: [{ type: 'text', text: 'done' }] };
  };
  const tool: Tool = { description: 'Works', run };
  const peer = era === 'legacy' ? legacyPeer(tool) : modernPeer(tool);
  const server = createServer((request, response) => {
    if (peer.isListening(request)) {
      listeners += 1;
      response.once('close', () => (listeners -= 1));
    }
    void peer.handle(request, response);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    ran: () => ran,
    listeners: () => listeners,
    change: (description, { tell }) => {
      tool.description = description;
      if (tell) peer.tell();
    },
    close: async () => {
      const closed = new Promise((resolve) => {
        server.close(resolve);
      });
      server.closeAllConnections();
      await peer.close?.();
      await closed;
    },
  };
}

function modernPeer(tool: Tool): Peer {
  const handler = createMcpHandler(
    () => {
      const server = new McpServer({ name: 'changing', version: '1' });
      server.registerTool('work', { description: tool.description, inputSchema: z.object({}) }, tool.run);
      return server;
    },
    { legacy: 'reject' },
  );
  return {
    handle: toNodeHandler(handler),
    isListening: ({ headers }) => headers['mcp-method'] === 'subscriptions/listen',
    tell: () => handler.notify.toolsChanged(),
    close: () => handler.close(),
  };
}

/** The v1 SDK: a session for each handshake, changes told on its GET stream. */
function legacyPeer(tool: Tool): Peer {
  const sessions = new Map<string, { transport: StreamableHTTPServerTransport; server: LegacyServer }>();
  return {
    handle: async (request, response) => {
      const known = sessions.get(String(request.headers['mcp-session-id']));
      if (known !== undefined) return known.transport.handleRequest(request, response);
      const server = new LegacyServer({ name: 'changing', version: '1' });
      const transport = new StreamableHTTPServerTransport({
        sessionIdGenerator: () => crypto.randomUUID(),
        onsessioninitialized: (id) => void sessions.set(id, { transport, server }),
      });
      const registered = server.registerTool('work', { description: tool.description, inputSchema: {} }, tool.run);
      // What the list says is what the tool is now, in sessions that were opened before as well.
      Object.defineProperty(registered, 'description', { get: () => tool.description });
      await server.connect(transport as never);
      return transport.handleRequest(request, response);
    },
    isListening: ({ method, headers }) => method === 'GET' && sessions.has(String(headers['mcp-session-id'])),
    tell: () => {
      for (const { server } of sessions.values()) server.sendToolListChanged();
    },
  };
}
