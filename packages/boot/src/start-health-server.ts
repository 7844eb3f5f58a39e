import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Metrics } from './create-metrics.js';

/** Whether a process can serve, and what its operator should know about it. Shown to whoever can reach the health port. */
export interface Readiness {
  ready: boolean;
  [detail: string]: unknown;
}

/** What the health server asks the process. */
export interface HealthOptions {
  host: string;
  /** 0 takes a free one. */
  port: number;
  metrics: Metrics;
  /** False asks the supervisor to restart the process. Must not depend on other processes. Default: always true. */
  live?: () => boolean;
  ready: () => Readiness | Promise<Readiness>;
}

/** A running health server. */
export interface HealthServer {
  port: number;
  close(): Promise<void>;
}

interface Answer {
  status: number;
  type: string;
  body: string;
}

const readyMsMax = 5000;

/** Serves `/livez`, `/readyz` and `/metrics` on a port of their own, so that no load on the service hides its state. Rejects when the port is taken. */
export async function startHealthServer(options: HealthOptions): Promise<HealthServer> {
  const server = createServer((request, response) => {
    void answer(request, options).then(
      (found) => send(response, found),
      () => send(response, { status: 500, type: 'text/plain', body: 'error\n' }),
    );
  });
  server.requestTimeout = 10_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(request: IncomingMessage, options: HealthOptions): Promise<Answer> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return { status: 405, type: 'text/plain', body: 'method not allowed\n' };
  switch (request.url?.split('?')[0]) {
    case '/livez':
      return (options.live?.() ?? true)
        ? { status: 200, type: 'text/plain', body: 'live\n' }
        : { status: 503, type: 'text/plain', body: 'not live\n' };
    case '/readyz':
      return readiness(options);
    case '/metrics':
      return { status: 200, type: options.metrics.contentType, body: await options.metrics.render() };
    default:
      return { status: 404, type: 'text/plain', body: 'not found\n' };
  }
}

async function readiness({ ready }: HealthOptions): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Readiness>((resolve) => {
    timer = setTimeout(resolve, readyMsMax, { ready: false, reason: 'the check did not end in time' });
  });
  try {
    const state = await Promise.race([Promise.resolve(ready()), late]);
    return { status: state.ready ? 200 : 503, type: 'application/json', body: `${JSON.stringify(state)}\n` };
  } catch {
    return { status: 503, type: 'application/json', body: `${JSON.stringify({ ready: false, reason: 'the check failed' })}\n` };
  } finally {
    clearTimeout(timer);
  }
}

function send(response: ServerResponse, { status, type, body }: Answer): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body), 'cache-control': 'no-store' });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}
