import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, type McpServer } from '@modelcontextprotocol/server';
import type { McpEndpoint } from './serve-loopback.js';

/** An endpoint of 2026-07-28, one server object a request; `legacy` says whether older clients are served too, without sessions. */
export function modernEndpoint(create: () => McpServer, legacy: 'stateless' | 'reject'): McpEndpoint {
  const handler = createMcpHandler(create, { legacy, onerror: (error) => console.error('refused:', error.message) });
  const handle = toNodeHandler(handler);
  return { handle: (request, response) => handle(request, response), close: () => handler.close() };
}
