import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { McpServer as LegacyServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { createMcpHandler, McpServer as ModernServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { listenLoopback } from './listen-loopback.js';
import { aTool } from './policy-builders.js';

/** A real MCP server on loopback, what it was asked, and how to make it forget its sessions. */
export interface TestServer {
  readonly url: string;
  readonly requests: { readonly headers: IncomingMessage['headers']; readonly body: string }[];
  readonly forgetSessions: () => void;
  readonly close: () => Promise<void>;
}

/** The tools both servers have, as their definitions are approved. */
export const serverTools = [
  aTool('echo', { description: 'Says it back', inputSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] } }),
  aTool('fail', { description: 'Fails' }),
  aTool('count', { description: 'Counts and reports progress' }),
];

const echo = { description: 'Says it back', inputSchema: { text: z.string() } };
const said = (text: string) => ({ content: [{ type: 'text' as const, text }] });
const failed = { ...said('It failed'), isError: true };

async function count(token: string | number | undefined, notify: (progress: number, token: string | number) => Promise<void>) {
  for (const progress of [1, 2, 3]) {
    if (token !== undefined) await notify(progress, token);
    await pause(5);
  }
  return said('counted');
}

/** Which requests a server lets in, by their `Authorization`. */
export type Accepts = (authorization: string | undefined) => boolean;
const everybody: Accepts = () => true;

/** A server of the legacy era, on SDK v1, with sessions. */
export async function startLegacyServer(accepts: Accepts = everybody): Promise<TestServer> {
  const sessions = new Map<string, StreamableHTTPServerTransport>();
  const open = async (): Promise<StreamableHTTPServerTransport> => {
    const server = new LegacyServer({ name: 'legacy', version: '1' });
    server.registerTool('echo', echo, ({ text }) => said(text));
    server.registerTool('fail', {}, () => failed);
    server.registerTool('count', {}, (extra) =>
      count(extra._meta?.progressToken, (progress, progressToken) =>
        extra.sendNotification({ method: 'notifications/progress', params: { progressToken, progress, total: 3 } }),
      ),
    );
    const transport: StreamableHTTPServerTransport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => void sessions.set(id, transport),
    });
    await server.connect(transport);
    return transport;
  };
  return listen({
    accepts,
    forgetSessions: () => sessions.clear(),
    handle: async (request, response, body) => {
      const id = request.headers['mcp-session-id'];
      const transport = typeof id === 'string' ? sessions.get(id) : await open();
      if (transport === undefined) {
        response.writeHead(404, { 'content-type': 'application/json' });
        response.end('{"jsonrpc":"2.0","id":null,"error":{"code":-32001,"message":"Session not found"}}');
      } else await transport.handleRequest(request, response, JSON.parse(body));
    },
  });
}

/** A server of 2024-11-05, on SDK v1: a stream at its address, messages to another. */
export async function startSseServer(accepts: Accepts = everybody): Promise<TestServer> {
  const transports = new Map<string, SSEServerTransport>();
  return listen({
    accepts,
    forgetSessions: () => transports.clear(),
    handle: async (request, response, body) => {
      if (request.method === 'GET') {
        const transport = new SSEServerTransport('/message', response);
        transports.set(transport.sessionId, transport);
        const server = new LegacyServer({ name: 'oldest', version: '1' });
        server.registerTool('echo', echo, ({ text }) => said(text));
        return server.connect(transport);
      }
      const sessionId = new URL(request.url ?? '/', 'http://localhost').searchParams.get('sessionId') ?? '';
      await transports.get(sessionId)?.handlePostMessage(request, response, JSON.parse(body));
    },
  });
}

/** A server of 2026-07-28 only, on SDK v2. */
export async function startModernServer(accepts: Accepts = everybody): Promise<TestServer> {
  const build = (): ModernServer => {
    const server = new ModernServer({ name: 'modern', version: '1' });
    server.registerTool('echo', { description: 'Says it back', inputSchema: z.object(echo.inputSchema) }, ({ text }) => said(text));
    server.registerTool('fail', { inputSchema: z.object({}) }, () => failed);
    server.registerTool('count', { inputSchema: z.object({}) }, (_args, { mcpReq }) =>
      count(mcpReq._meta?.progressToken, (progress, progressToken) =>
        mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total: 3 } }),
      ),
    );
    return server;
  };
  const handle = toNodeHandler(createMcpHandler(build, { legacy: 'reject' }));
  return listen({ accepts, forgetSessions: () => undefined, handle: (request, response, body) => handle(request, response, JSON.parse(body)) });
}

interface Handler {
  readonly accepts: Accepts;
  readonly forgetSessions: () => void;
  readonly handle: (request: IncomingMessage, response: ServerResponse, body: string) => Promise<void>;
}

async function listen({ handle, forgetSessions, accepts }: Handler): Promise<TestServer> {
  const requests: TestServer['requests'] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks).toString();
      requests.push({ headers: request.headers, body });
      if (accepts(request.headers.authorization)) await handle(request, response, body);
      else response.writeHead(401, { 'www-authenticate': 'Bearer' }).end();
    })();
  });
  const { url, close } = await listenLoopback(server);
  return { url: `${url}/mcp`, requests, forgetSessions, close };
}
