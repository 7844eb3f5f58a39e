import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ListenerTls, TlsServer } from '@portcullis/boot';
import type { ErrorCode } from '@portcullis/contracts/errors';
import { AgentRequest } from './edge/agent-request.js';
import { connectionFaultOf, refuseConnection } from './edge/connection-fault.js';
import { ConnectionTurns } from './edge/connection-turns.js';
import { limitConnectionsPerSource } from './edge/connections-per-source.js';
import { endInTurn } from './edge/end-in-turn.js';
import { SERVER_LIMITS, type ServerLimits } from './edge/server-limits.js';
import type { Gateway } from './gateway.js';
import { handleMcp } from './handle-mcp.js';

/** The listener agents connect to. */
export interface GatewayServer {
  readonly port: number;
  /** What takes another certificate; undefined without TLS. */
  readonly tls: TlsServer | undefined;
  /** How many connections wait for their turn to begin. */
  readonly waiting: number;
  /** Takes no more requests, waits for those in progress up to `graceMs`, then ends what is left. */
  close(graceMs: number): Promise<void>;
}

const IDLE_MS_MAX = 75_000;
const SWEEP_MS = 50;
const HEADER_BYTES_MAX = 16 * 1024;
const CONNECTIONS_MAX = 20_000;
const BACKLOG = 4096;

/**
 * Serves the data path on plain `node:http` (docs/adr/0006). Its parser refuses ambiguous framing; headers must be there within 10 s and the whole
 * request within 15 s.
 */
export async function startServer(
  gateway: Gateway,
  { tls, ...at }: { host: string; port: number; tls?: ListenerTls | undefined },
  limits: Partial<ServerLimits> = {},
): Promise<GatewayServer> {
  const { connectionsPerSourceMax, connectionsPerSecondMax, ...times } = { ...SERVER_LIMITS, ...limits };
  const { server, secure } = listenerOf(times, tls, (request, response) => {
    handleMcp(request, response, gateway).catch((error: unknown) => {
      gateway.logError(error, 'A request ended without an answer');
      response.destroy();
    });
  });
  server.maxConnections = CONNECTIONS_MAX;
  server.maxHeadersCount = 0; // by default Node hides what is beyond its number, a second Host for example
  server.timeout = times.stalledMs;
  // Requests know the socket that is read in the clear.
  server.on(secure === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
    gateway.shedding.connected(socket);
    endInTurn(socket);
  });
  // Shaking hands costs four times what closing does, and whoever is hung up on before may ask another node at once.
  secure?.on('connection', (socket: Socket) => {
    if (!gateway.shedding.takesConnections()) {
      socket.destroy();
      gateway.metrics.refusedAtEdge('node.overloaded');
    }
  });
  const turns = new ConnectionTurns(server, connectionsPerSecondMax);
  limitConnectionsPerSource(server, connectionsPerSourceMax, () => gateway.metrics.refusedAtEdge('limit.rate'));
  const refuse = (code: ErrorCode | undefined, socket: Duplex): void => {
    if (code !== undefined) gateway.metrics.refusedAtEdge(code);
    refuseConnection(code, socket);
  };
  server.on('clientError', (error, socket) => refuse(connectionFaultOf(error), socket));
  server.on('connect', (_request, socket) => refuse('client.method_not_allowed', socket));
  server.listen({ ...at, backlog: BACKLOG });
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    tls: secure,
    get waiting() {
      return turns.size;
    },
    close: (graceMs) => {
      turns.close();
      return close(server, graceMs);
    },
  };
}

function listenerOf(
  times: Omit<ServerLimits, 'connectionsPerSourceMax' | 'connectionsPerSecondMax'>,
  tls: ListenerTls | undefined,
  serve: RequestListener<typeof AgentRequest>,
) {
  const options = {
    IncomingMessage: AgentRequest,
    maxHeaderSize: HEADER_BYTES_MAX,
    headersTimeout: times.headersMs,
    requestTimeout: times.requestMs,
    connectionsCheckingInterval: times.checkEveryMs,
    keepAliveTimeout: IDLE_MS_MAX,
    requireHostHeader: false, // the front filter refuses, and counts, its absence
    noDelay: true,
  };
  if (tls === undefined) return { server: createServer(options, serve), secure: undefined };
  const secure = createSecureServer({ ...options, ...tls.options, handshakeTimeout: times.headersMs }, serve);
  return { server: secure as Server<typeof AgentRequest>, secure };
}

async function close(server: Pick<Server, 'close' | 'closeIdleConnections' | 'closeAllConnections'>, graceMs: number): Promise<void> {
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
