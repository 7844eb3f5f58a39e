import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { Server as LegacyServer } from '@modelcontextprotocol/sdk/server/index.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { SubscribeRequestSchema, UnsubscribeRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { listenLoopback } from './listen-loopback.js';

/** A real MCP server that says when it changes. */
export interface ChangingServer {
  readonly url: string;
  /** Streams that are open to it. */
  readonly streams: () => number;
  /** Resources that somebody is subscribed to, once for each subscriber. */
  readonly subscribed: () => readonly string[];
  readonly toolsChanged: () => void;
  readonly updated: (uri: string) => void;
  close(): Promise<void>;
}

/** What such servers declare. */
export const changingCapabilities = { tools: { listChanged: true }, resources: { listChanged: true, subscribe: true } };

interface Behaviour {
  readonly handle: (request: IncomingMessage, response: ServerResponse, body: unknown) => Promise<void>;
  readonly isStream: (request: IncomingMessage, body: unknown) => boolean;
}

async function listen({ handle, isStream }: Behaviour, port: number): Promise<{ url: string; streams: () => number; close: () => Promise<void> }> {
  let open = 0;
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const text = Buffer.concat(chunks).toString();
      const body: unknown = text === '' ? undefined : JSON.parse(text);
      if (isStream(request, body)) {
        open += 1;
        response.once('close', () => (open -= 1));
      }
      await handle(request, response, body);
    })();
  });
  const { url, close } = await listenLoopback(server, port);
  return { url: `${url}/mcp`, streams: () => open, close };
}

/** Of the legacy era, on SDK v1, with sessions and GET streams. */
export async function startLegacyChangingServer(port = 0): Promise<ChangingServer> {
  const sessions = new Map<string, { transport: StreamableHTTPServerTransport; server: LegacyServer; uris: Set<string> }>();
  const open = async (): Promise<StreamableHTTPServerTransport> => {
    const uris = new Set<string>();
    const server = new LegacyServer({ name: 'changing', version: '1' }, { capabilities: changingCapabilities });
    server.setRequestHandler(SubscribeRequestSchema, ({ params }) => (uris.add(params.uri), {}));
    server.setRequestHandler(UnsubscribeRequestSchema, ({ params }) => (uris.delete(params.uri), {}));
    const transport: StreamableHTTPServerTransport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => void sessions.set(id, { transport, server, uris }),
      onsessionclosed: (id) => void sessions.delete(id),
    });
    await server.connect(transport);
    return transport;
  };
  const listening = await listen(
    {
      isStream: ({ method }) => method === 'GET',
      handle: async (request, response, body) => {
        const id = request.headers['mcp-session-id'];
        const transport = typeof id === 'string' ? sessions.get(id)?.transport : await open();
        if (transport === undefined) {
          response.writeHead(404, { 'content-type': 'application/json' });
          response.end('{"jsonrpc":"2.0","id":null,"error":{"code":-32001,"message":"Session not found"}}');
        } else await transport.handleRequest(request, response, body);
      },
    },
    port,
  );
  return {
    ...listening,
    subscribed: () => [...sessions.values()].flatMap(({ uris }) => [...uris]),
    toolsChanged: () => sessions.forEach(({ server }) => void server.sendToolListChanged()),
    updated: (uri) => sessions.forEach(({ server, uris }) => void (uris.has(uri) && server.sendResourceUpdated({ uri }))),
  };
}

/** Of 2026-07-28 only, on SDK v2. */
export async function startModernChangingServer(port = 0): Promise<ChangingServer> {
  const wanted = new Map<IncomingMessage, readonly string[]>();
  const modern = createMcpHandler(() => new McpServer({ name: 'changing', version: '1' }, { capabilities: changingCapabilities }), {
    legacy: 'reject',
  });
  const handle = toNodeHandler(modern);
  const listening = await listen(
    {
      isStream: (_request, body) => (body as { method?: string }).method === 'subscriptions/listen',
      handle: async (request, response, body) => {
        const { params } = body as { params?: { notifications?: { resourceSubscriptions?: string[] } } };
        wanted.set(request, params?.notifications?.resourceSubscriptions ?? []);
        response.once('close', () => wanted.delete(request));
        await handle(request, response, body);
      },
    },
    port,
  );
  return {
    ...listening,
    subscribed: () => [...wanted.values()].flat(),
    toolsChanged: () => modern.notify.toolsChanged(),
    updated: (uri) => modern.notify.resourceUpdated(uri),
  };
}
