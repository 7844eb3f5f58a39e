import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { listenLoopback } from './listen-loopback.js';

/** One message that came, and where its answer goes. */
export interface Scripted {
  readonly message: { readonly id?: string; readonly method: string; readonly params?: Record<string, unknown> };
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly json: (body: unknown, status?: number) => void;
}

/** A server that does what a test says, for what no SDK would do. */
export interface ScriptedServer {
  readonly url: string;
  readonly methods: string[];
  answer: (exchange: Scripted) => void;
  close(): Promise<void>;
}

export async function startScriptedServer(): Promise<ScriptedServer> {
  const methods: string[] = [];
  const server = createServer((request, response) => {
    // It keeps no sessions and has no stream of its own.
    if (request.method !== 'POST') return void response.writeHead(405).end();
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const message = JSON.parse(Buffer.concat(chunks).toString()) as Scripted['message'];
      methods.push(message.method);
      const json = (body: unknown, status = 200): void => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(typeof body === 'string' ? body : JSON.stringify(body));
      };
      scripted.answer({ message, request, response, json });
    });
  });
  const { url, close } = await listenLoopback(server);
  const scripted: ScriptedServer = { url: `${url}/mcp`, methods, answer: ({ response }) => response.destroy(), close };
  return scripted;
}
