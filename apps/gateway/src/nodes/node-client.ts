import { randomBytes } from 'node:crypto';
import { Agent, request } from 'undici';
import { ALIVE_EVERY_MS } from './internal-exchange.js';
import { signExchange, type NodeLinkKey } from './node-signature.js';

/** Another node could not be asked, or went silent before its answer was whole. What it was asked may have been done. */
export class NodeUnreachableError extends Error {
  override readonly name = 'NodeUnreachableError';
}

/** What a caller may add to a request. */
export interface SendOptions {
  /** Told each part before the end; the next is read when it has settled. */
  readonly onPart?: (part: unknown) => Promise<void> | void;
  readonly signal?: AbortSignal;
}

const CONNECT_MS_MAX = 2000;
const SILENCE_MS_MAX = 3 * ALIVE_EVERY_MS;
const LINE_CHARS_MAX = 64 * 1024 * 1024;

/** Asks other nodes over their internal listeners. */
export class NodeClient {
  private readonly agent = new Agent({
    connect: { timeout: CONNECT_MS_MAX },
    headersTimeout: SILENCE_MS_MAX,
    bodyTimeout: SILENCE_MS_MAX,
    keepAliveTimeout: 30_000,
  });

  constructor(private readonly parts: { readonly keys: () => readonly NodeLinkKey[]; readonly now: () => number }) {}

  /** The end of the other node's answer to `POST /internal/<name>`; a NodeUnreachableError when there is none. */
  async send(nodeUrl: string, name: string, body: unknown, options: SendOptions = {}): Promise<unknown> {
    try {
      return await this.exchange(nodeUrl, name, { body: Buffer.from(JSON.stringify(body)), options });
    } catch (error) {
      if (error instanceof NodeUnreachableError) throw error;
      throw new NodeUnreachableError(`No answer from ${nodeUrl}`, { cause: error });
    }
  }

  close(): Promise<void> {
    return this.agent.destroy();
  }

  private async exchange(nodeUrl: string, name: string, sent: { body: Buffer; options: SendOptions }): Promise<unknown> {
    const { body, options } = sent;
    const [key] = this.parts.keys();
    if (key === undefined) throw new NodeUnreachableError('This node has no keys yet');
    const path = `/internal/${name}`;
    const moment = { now: this.parts.now(), nonce: randomBytes(12).toString('base64url') };
    const authorization = signExchange({ method: 'POST', path, recipient: nodeUrl, body }, key, moment);
    const answer = await request(new URL(path, nodeUrl), {
      dispatcher: this.agent,
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body,
      signal: options.signal ?? null,
    });
    if (answer.statusCode !== 200) {
      await answer.body.dump();
      throw new NodeUnreachableError(`${nodeUrl} refused with ${String(answer.statusCode)}`);
    }
    for await (const line of linesOf(answer.body)) {
      const message = JSON.parse(line) as { part?: unknown; end?: unknown };
      if ('end' in message) return message.end;
      await options.onPart?.(message.part);
    }
    throw new NodeUnreachableError(`The answer of ${nodeUrl} broke off`);
  }
}

async function* linesOf(body: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let pieces: string[] = [];
  let chars = 0;
  for await (const chunk of body) {
    const [first = '', ...rest] = decoder.decode(chunk, { stream: true }).split('\n');
    pieces.push(first);
    chars += first.length;
    if (chars > LINE_CHARS_MAX) throw new NodeUnreachableError('A line is too long');
    for (const piece of rest) {
      const line = pieces.join('');
      pieces = [piece];
      chars = piece.length;
      if (line !== '') yield line;
    }
  }
}
