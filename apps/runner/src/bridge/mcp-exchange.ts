import type { IncomingMessage, ServerResponse } from 'node:http';

/** One HTTP request for a server, from whoever was let in. */
export interface McpExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** For which agent it is; empty where that was not said. */
  readonly agentId: string;
}

/** How one server is offered over HTTP, in the era that it speaks. */
export interface McpFace {
  post(exchange: McpExchange, body: Buffer): Promise<void>;
  get(exchange: McpExchange): Promise<void>;
  delete(exchange: McpExchange): Promise<void>;
}

/** Ends a request that gets no message. */
export function sendStatus(response: ServerResponse, status: number, headers: Readonly<Record<string, string>> = {}): void {
  response.writeHead(status, { ...headers, 'content-length': 0 });
  response.end();
}

/** A JSON-RPC error in an answer of this status. */
export function sendError(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(message) });
  response.end(message);
}
