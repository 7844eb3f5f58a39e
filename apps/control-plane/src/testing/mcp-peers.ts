import { createServer, request as send, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { McpServer as LegacyServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';

/** An MCP server on loopback. */
export interface Peer {
  readonly url: string;
  close(): Promise<void>;
}

export interface ShowingPeer extends Peer {
  /** From now on another certificate is shown, to whoever connects; nobody stays connected. */
  show(tls: ServerOptions): void;
}

export async function serve(handle: (request: IncomingMessage, response: ServerResponse) => unknown, tls?: ServerOptions): Promise<ShowingPeer> {
  const listener = (request: IncomingMessage, response: ServerResponse): void => void handle(request, response);
  const server = tls === undefined ? createServer(listener) : createSecureServer(tls, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  const show = (shown: ServerOptions): void => {
    if ('setSecureContext' in server) server.setSecureContext(shown);
    server.closeAllConnections();
  };
  return { url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}/mcp`, show, close };
}

/** The v1 SDK: the older era only, a session per handshake, answers as SSE. */
export async function serveLegacy(): Promise<Peer> {
  const sessions = new Map<string, StreamableHTTPServerTransport>();
  return serve(async (request, response) => {
    const known = sessions.get(String(request.headers['mcp-session-id']));
    if (known !== undefined) return known.handleRequest(request, response);
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => crypto.randomUUID(),
      onsessioninitialized: (id) => void sessions.set(id, transport),
    });
    const server = new LegacyServer({ name: 'legacy', version: '1' }, { instructions: 'Be kind.' });
    server.registerTool('add', { description: 'Adds', inputSchema: { a: z.number(), b: z.number() } }, () => ({ content: [] }));
    server.registerPrompt('greet', { description: 'Greets' }, () => ({ messages: [] }));
    server.registerResource('readme', 'file:///readme', {}, () => ({ contents: [] }));
    await server.connect(transport as never);
    return transport.handleRequest(request, response);
  });
}

/** The v1 SDK over HTTP+SSE: a stream at one address, messages to another. */
export async function serveSse(): Promise<Peer> {
  const messagesAt = '/message';
  const transports = new Map<string, SSEServerTransport>();
  return serve(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    if (request.method === 'GET') {
      const transport = new SSEServerTransport(messagesAt, response);
      transports.set(transport.sessionId, transport);
      const server = new LegacyServer({ name: 'oldest', version: '1' }, { instructions: 'Be patient.' });
      server.registerTool('add', { description: 'Adds', inputSchema: { a: z.number() } }, () => ({ content: [] }));
      return server.connect(transport);
    }
    const transport = transports.get(searchParams.get('sessionId') ?? '');
    return pathname === messagesAt && transport !== undefined ? transport.handlePostMessage(request, response) : response.writeHead(404).end();
  });
}

/** The v2 SDK, with or without the older era. */
export async function serveModern(legacy: 'stateless' | 'reject'): Promise<Peer> {
  const handler = createMcpHandler(
    () => {
      const server = new McpServer({ name: 'modern', version: '2' });
      server.registerTool('search', { description: 'Searches', inputSchema: z.object({ q: z.string() }) }, () => ({ content: [] }));
      return server;
    },
    { legacy },
  );
  return serve(toNodeHandler(handler));
}

/** Two servers at one address, as one that speaks both eras. */
export async function serveBothEras(): Promise<Peer> {
  const [older, newer] = await Promise.all([serveLegacy(), serveModern('reject')]);
  const peer = await serve((request, response) => {
    const to = request.headers['mcp-protocol-version'] === '2026-07-28' ? newer : older;
    const { method = 'GET', headers } = request;
    const onward = send(to.url, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.once('error', () => response.destroy());
    response.once('close', () => onward.destroy());
    request.pipe(onward);
  });
  const close = async (): Promise<void> => void (await Promise.all([peer, older, newer].map((one) => one.close())));
  return { url: peer.url, close };
}

/** Pages of a list: each gives its definitions as JSON text, and the cursor of the next. */
export type RawPage = { readonly tools: string; readonly nextCursor?: string; readonly ttlMs?: number };

/** What a server written by hand says of itself. */
export interface RawAbout {
  readonly version: string;
  readonly instructions?: string;
}

/** A server written by hand, of the older era, which answers `tools/list` with exactly this text. */
export async function serveRaw(
  page: (cursor: string | undefined) => RawPage | string,
  says: RawAbout = { version: '1' },
  tls?: ServerOptions,
): Promise<ShowingPeer> {
  return serve(async (request, response) => {
    if (request.method !== 'POST') return response.writeHead(405).end();
    const message = JSON.parse(await text(request)) as { id?: unknown; method: string; params?: { cursor?: string } };
    if (message.id === undefined) return response.writeHead(202).end();
    response.setHeader('content-type', 'application/json');
    const answer = (result: string): unknown => response.end(`{"jsonrpc":"2.0","id":${JSON.stringify(message.id)},"result":${result}}`);
    if (message.method === 'initialize') {
      const { version, instructions } = says;
      const about = { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'raw', version }, instructions };
      return answer(JSON.stringify(about));
    }
    if (message.method !== 'tools/list')
      return response.writeHead(400).end(`{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"Bad Request"}}`);
    const found = page(message.params?.cursor);
    if (typeof found === 'string') return response.end(found);
    const { tools, ...more } = found;
    return answer(`{"tools":[${tools}],${JSON.stringify(more).slice(1)}`.replace(/,}$/, '}'));
  }, tls);
}

/** The smallest sound tool. */
export const rawTool = (name: string, description = 'd'): string => JSON.stringify({ name, description, inputSchema: { type: 'object' } });
