import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { discardBody, type ListenerTls, type Logger, type TlsServer } from '@portcullis/boot';
import { RUNNER_AGENT_HEADER } from '@portcullis/contracts/runner/heartbeat';
import type { Host } from '../supervise/host.js';
import type { HostedServer } from '../supervise/hosted-server.js';
import type { AccessTokens } from './access-tokens.js';
import { LegacyFace } from './legacy-face.js';
import { sendError, sendStatus, type McpFace } from './mcp-exchange.js';
import { ModernFace } from './modern-face.js';
import { readBody } from './read-body.js';
import { errorJson, RpcFault } from './rpc-fault.js';

/** What serving depends on. */
export interface RunnerServerParts {
  readonly host: Host;
  readonly tokens: AccessTokens;
  readonly logger: Logger;
  readonly now: () => number;
  readonly onCall: () => void;
  /** With which nodes are spoken to by TLS; undefined where they are not. */
  readonly tls?: ListenerTls | undefined;
}

const PLACE = /^\/servers\/([a-z0-9-]{1,100})\/mcp$/;
const BODY_BYTES_MAX = 16 * 1024 * 1024;
const HEADERS_MS_MAX = 10_000;
const BODY_MS_MAX = 60_000;
/** Longer than nodes keep a connection that they do not use. */
const KEEP_ALIVE_MS = 120_000;
const AGENT_CHARS_MAX = 200;

/** Where nodes, and only nodes, reach the servers of this runner: `/servers/<slug>/mcp`. Others learn nothing, not even which servers there are. */
export class RunnerServer {
  /** Takes another certificate, where there is one. */
  readonly secure: TlsServer | undefined;
  private readonly server: Server;
  private readonly faces = new WeakMap<HostedServer, Promise<McpFace>>();

  constructor(private readonly parts: RunnerServerParts) {
    const options = { keepAlive: true, keepAliveTimeout: KEEP_ALIVE_MS, headersTimeout: HEADERS_MS_MAX, requestTimeout: BODY_MS_MAX };
    const serve = (request: IncomingMessage, response: ServerResponse): void => void this.handle(request, response);
    const { tls } = parts;
    const secure = tls && createSecureServer({ ...options, ...tls.options, handshakeTimeout: HEADERS_MS_MAX }, serve);
    this.secure = secure;
    this.server = secure ?? createServer(options, serve);
  }

  /** Gives the port that it listens on. Rejects when the port is taken. */
  async listen(host: string, port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, host, resolve);
    });
    return (this.server.address() as AddressInfo).port;
  }

  /** Ends all connections, whatever goes on there. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const { host, tokens } = this.parts;
      const slug = PLACE.exec(request.url ?? '')?.[1];
      if (!tokens.admits(request.headers.authorization)) return await refuse(request, response, 401);
      const server = slug === undefined ? undefined : host.find(slug);
      if (server === undefined) return await refuse(request, response, 404);
      await this.serve(server, request, response);
    } catch (error) {
      if (!(error instanceof RpcFault)) this.parts.logger.error({ err: error }, 'A request failed');
      if (response.headersSent) response.destroy();
      else sendError(response, error instanceof RpcFault ? 503 : 500, errorJson('null', { code: -32603, message: 'Internal error' }));
    }
  }

  private async serve(server: HostedServer, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const agentId = String(request.headers[RUNNER_AGENT_HEADER] ?? '');
    if (agentId.length > AGENT_CHARS_MAX || (agentId === '' && server.isPerAgent)) return refuse(request, response, 400);
    const exchange = { request, response, agentId };
    switch (request.method) {
      case 'POST': {
        const body = await readBody(request, BODY_BYTES_MAX);
        if (body === undefined) return refuse(request, response, 413);
        this.parts.onCall();
        return this.inFace(server, response, (face) => face.post(exchange, body));
      }
      case 'GET':
        return this.inFace(server, response, (face) => face.get(exchange));
      case 'DELETE':
        return this.inFace(server, response, (face) => face.delete(exchange));
      default:
        return refuse(request, response, 405);
    }
  }

  /** Which face a server has is known when its era is. */
  private async inFace(server: HostedServer, response: ServerResponse, use: (face: McpFace) => Promise<void>): Promise<void> {
    let face: McpFace;
    try {
      face = await this.faceOf(server);
    } catch (error) {
      if (!(error instanceof RpcFault)) throw error;
      if (error.retryAfterMs !== undefined) response.setHeader('retry-after', Math.ceil(error.retryAfterMs / 1000));
      return sendError(response, 503, error.asMessage('null'));
    }
    return use(face);
  }

  private faceOf(server: HostedServer): Promise<McpFace> {
    const known = this.faces.get(server);
    if (known !== undefined) return known;
    const { now } = this.parts;
    const face = server.era().then((era): McpFace => (era === 'modern' ? new ModernFace(server, now) : new LegacyFace(server, now)));
    this.faces.set(server, face);
    face.catch(() => this.faces.delete(server));
    return face;
  }
}

async function refuse(request: IncomingMessage, response: ServerResponse, status: number): Promise<void> {
  await discardBody(request);
  sendStatus(response, status, status === 401 ? { 'www-authenticate': 'Bearer' } : {});
}
