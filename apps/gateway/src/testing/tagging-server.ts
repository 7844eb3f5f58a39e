import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { startScriptedServer, type Scripted } from './scripted-server.js';

/** A text that betrays whose it is wherever it turns up. */
export const tagOf = (agent: string): string => `<<${agent}>>`;
const TAG = /<<(agent-\d+)>>/g;

/** Whose texts are in here. */
export const ownersIn = (text: string): ReadonlySet<string> => new Set([...text.matchAll(TAG)].map(([, agent]) => agent ?? ''));

/** A server that fills its answers with the caller's own tag, after some time, and knows which callers it saw on each of its sessions. */
export interface TaggingServer {
  readonly url: string;
  /** How often each call arrived, by its nonce. */
  readonly arrivals: Map<string, number>;
  readonly ownersOfSession: Map<string, Set<string>>;
  close(): Promise<void>;
}

interface TaggedArguments {
  readonly tag: string;
  readonly nonce: string;
  readonly slow: boolean;
}

const SLOW_MS = 150;
const QUICK_MS = 15;

export async function startTaggingServer(): Promise<TaggingServer> {
  const server = await startScriptedServer();
  const arrivals = new Map<string, number>();
  const ownersOfSession = new Map<string, Set<string>>();
  server.answer = (exchange) => {
    const { message, json, response, request } = exchange;
    if (message.id === undefined) response.writeHead(202).end();
    else if (message.method === 'initialize') {
      response.setHeader('mcp-session-id', randomUUID());
      json({ jsonrpc: '2.0', id: message.id, result: { protocolVersion: '2025-06-18', capabilities: {} } });
    } else {
      const args = message.params?.['arguments'] as TaggedArguments;
      arrivals.set(args.nonce, (arrivals.get(args.nonce) ?? 0) + 1);
      const session = request.headers['mcp-session-id'];
      if (typeof session === 'string') ownersOfSession.set(session, new Set([...(ownersOfSession.get(session) ?? []), args.tag]));
      void answerTagged(exchange, args);
    }
  };
  return { url: server.url, arrivals, ownersOfSession, close: () => server.close() };
}

async function answerTagged({ message, response, json }: Scripted, { tag, nonce, slow }: TaggedArguments): Promise<void> {
  const text = `${tagOf(tag)} ${nonce} `.repeat(1 + Math.floor(Math.random() * 100));
  const answer = { jsonrpc: '2.0', id: message.id, result: { content: [{ type: 'text', text }], resultType: 'complete' } };
  const meta = message.params?.['_meta'] as { progressToken?: unknown } | undefined;
  const wait = (): Promise<void> => pause(Math.random() * (slow ? SLOW_MS : QUICK_MS));
  if (meta?.progressToken === undefined) {
    await wait();
    json(answer);
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const say = (value: unknown): void => void response.write(`data: ${JSON.stringify(value)}\n\n`);
  for (const progress of [1, 2, 3]) {
    await wait();
    say({
      jsonrpc: '2.0',
      method: 'notifications/progress',
      params: { progressToken: meta.progressToken, progress, message: `${tagOf(tag)} ${nonce}` },
    });
  }
  say(answer);
  response.end();
}
