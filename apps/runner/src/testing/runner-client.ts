import { fileURLToPath } from 'node:url';
import { realpathSync } from 'node:fs';
import { createSseParser } from '@portcullis/mcp';
import { ACCESS_TOKEN, type ProfileInput } from './test-runner.js';

/** A server of this folder, as a program that Node runs. */
export function stdioServer(mode = 'normal', more: Omit<ProfileInput, 'program' | 'args'> = {}): ProfileInput {
  const file = fileURLToPath(new URL('stdio-server.ts', import.meta.url));
  return { program: { kind: 'executable', path: realpathSync(process.execPath) }, args: [file, mode], ...more };
}

/** A JSON-RPC message, as far as tests look into it. */
export interface Rpc {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: Record<string, unknown> };
}

/** Speaks to a runner as a node does. */
export class RunnerClient {
  sessionId: string | undefined;
  private count = 0;

  constructor(
    private readonly url: string,
    private readonly agentId = 'agent-1',
  ) {}

  async open(capabilities: object = {}): Promise<Rpc> {
    this.sessionId = undefined;
    const response = await this.post({
      id: 0,
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities, clientInfo: { name: 'test', version: '1' } },
    });
    this.sessionId = response.headers.get('mcp-session-id') ?? undefined;
    const answer = (await response.json()) as Rpc;
    if (answer.result !== undefined) await this.post({ method: 'notifications/initialized' });
    return answer;
  }

  post(message: object, init: RequestInit = {}): Promise<Response> {
    return this.fetch({ ...init, method: 'POST', body: JSON.stringify({ jsonrpc: '2.0', ...message }) });
  }

  fetch(init: RequestInit): Promise<Response> {
    const headers = {
      authorization: `Bearer ${ACCESS_TOKEN}`,
      'portcullis-agent': this.agentId,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(this.sessionId !== undefined && { 'mcp-session-id': this.sessionId }),
    };
    return fetch(this.url, { headers, ...init });
  }

  /** All messages that answer a request, the answer last. */
  async request(method: string, params: object = {}, init: RequestInit = {}): Promise<Rpc[]> {
    const response = await this.post({ id: `id-${(this.count += 1)}`, method, params }, init);
    return readMessages(response);
  }

  async call(name: string, args: object = {}, meta?: object): Promise<Rpc> {
    const messages = await this.request('tools/call', { name, arguments: args, ...(meta && { _meta: meta }) });
    const answer = messages.at(-1);
    if (answer === undefined) throw new Error('no answer');
    return answer;
  }

  /** What a tool of the test server gave, which is JSON as text. */
  async value(name: string, args: object = {}, meta?: object): Promise<unknown> {
    return valueOf(await this.call(name, args, meta));
  }
}

export function valueOf({ result, error }: Rpc): unknown {
  const content = result?.['content'] as [{ text: string }] | undefined;
  if (content === undefined) throw new Error(`no result: ${JSON.stringify(error)}`);
  return JSON.parse(content[0].text);
}

async function readMessages(response: Response): Promise<Rpc[]> {
  if (response.headers.get('content-type') !== 'text/event-stream') return [(await response.json()) as Rpc];
  const messages: Rpc[] = [];
  for await (const message of streamOf(response)) messages.push(message);
  return messages;
}

/** The messages of a stream, as they come. */
export async function* streamOf(response: Response): AsyncGenerator<Rpc> {
  const parser = createSseParser({ lineBytesMax: 20_000_000, eventBytesMax: 20_000_000 });
  for await (const chunk of response.body ?? []) for (const { data } of parser.push(chunk as Uint8Array)) yield JSON.parse(data) as Rpc;
}
