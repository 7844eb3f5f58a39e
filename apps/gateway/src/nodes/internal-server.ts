import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { InternalExchange } from './internal-exchange.js';
import { SignatureVerifier, type NodeLinkKey } from './node-signature.js';

/** Serves one kind of request of another node: gets its body, may write parts, and gives the end of the answer. */
export type InternalHandler = (body: unknown, exchange: InternalExchange) => unknown;

/** The listener for other nodes. No agent key opens it; only holders of the ring's keys are heard. */
export interface InternalServer {
  /** The address other nodes reach this one at. */
  readonly url: string;
  /** Serves `POST /internal/<name>`. */
  route(name: string, handler: InternalHandler): void;
  close(): Promise<void>;
}

const PREFIX = '/internal/';
/** An agent's body with what we say about it. */
const BODY_BYTES_MAX = 6 * 1024 * 1024;
const REQUEST_MS_MAX = 20_000;
const IDLE_MS_MAX = 60_000;
const CONNECTIONS_MAX = 4096;
const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/** Listens for other nodes; without an `url` to advertise it is this listener's own address. */
export async function startInternalServer(parts: {
  readonly host: string;
  readonly port: number;
  readonly url: string | undefined;
  readonly keys: () => readonly NodeLinkKey[];
  readonly now: () => number;
  readonly logError: (error: unknown, message: string) => void;
}): Promise<InternalServer> {
  const { host, port, keys, now, logError } = parts;
  const handlers = new Map<string, InternalHandler>();
  const verifier = new SignatureVerifier(keys);
  let url = '';
  const server = createServer(
    { maxHeaderSize: 8192, headersTimeout: REQUEST_MS_MAX, requestTimeout: REQUEST_MS_MAX, keepAliveTimeout: IDLE_MS_MAX, noDelay: true },
    (request, response) => {
      serve(request, response).catch((error: unknown) => {
        logError(error, 'A request of another node failed');
        response.destroy();
      });
    },
  );
  server.maxConnections = CONNECTIONS_MAX;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '';
    const body = request.method === 'POST' && request.headers.authorization !== undefined ? await readBody(request) : undefined;
    const exchange = { method: request.method ?? '', path, recipient: url, body: body ?? new Uint8Array() };
    if (body === undefined || !verifier.accepts(request.headers.authorization, exchange, now())) return refuse(response, 401);
    const handler = path.startsWith(PREFIX) ? handlers.get(path.slice(PREFIX.length)) : undefined;
    if (handler === undefined) return refuse(response, 404);
    const answer = new InternalExchange(response);
    answer.end(await handler(JSON.parse(body.toString()), answer));
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, resolve);
  });
  url = parts.url ?? ownUrl(host, (server.address() as AddressInfo).port);
  return {
    url,
    route: (name, handler) => void handlers.set(name, handler),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function ownUrl(host: string, port: number): string {
  const name = WILDCARDS.has(host) ? hostname() : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${String(port)}`;
}

/** The whole body, or undefined for one over the limit. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function refuse(response: ServerResponse, status: number): void {
  response.shouldKeepAlive = false;
  response.writeHead(status, { 'content-length': '0' }).end();
}
