import { createSseParser, parseJson } from '@portcullis/mcp';

/** Fetch as the SDK's transports take it. */
export type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

/** The last answer over HTTP, for whoever must say what went wrong. */
export interface HttpAnswer {
  readonly method: string;
  readonly status: number;
  readonly contentType: string;
}

/** More than this in all is no list of tools. */
const TOTAL_BYTES_MAX = 10 * 1024 * 1024;

export class TooManyBytes extends Error {
  override readonly name = 'TooManyBytes';
}

/**
 * A fetch that keeps the exact text of each JSON-RPC answer while the SDK reads it: definitions are pinned by what the server sent, not by what
 * a schema left of it. It counts bytes over all answers, and keeps the SDK from opening a stream that discovery has no use for.
 */
export class AnswerTap {
  lastHttp: HttpAnswer | undefined;
  private readonly asked = new Map<unknown, string>();
  private readonly answers = new Map<string, string>();
  private bytesLeft = TOTAL_BYTES_MAX;

  constructor(
    private readonly inner: Fetch,
    private readonly signal: AbortSignal,
    /** HTTP+SSE: answers come on the one stream that GET opens. */
    private readonly isOneStream = false,
  ) {}

  /** Whether the one stream was ever opened, so that there is a server of that kind. */
  get isConnected(): boolean {
    return this.asked.size > 0;
  }

  /** The text of the newest answer to this method, once. */
  take(method: string): string | undefined {
    const text = this.answers.get(method);
    this.answers.delete(method);
    return text;
  }

  readonly fetch: Fetch = async (url, init = {}) => {
    const isGet = (init.method ?? 'GET') === 'GET';
    if (isGet && !this.isOneStream) return new Response(null, { status: 405 });
    const request = readRequest(init.body);
    const signal = AbortSignal.any([this.signal, ...(init.signal ? [init.signal] : [])]);
    // Before it is sent: an answer on the one stream may overtake that of the POST.
    if (this.isOneStream && request?.id !== undefined) this.asked.set(request.id, request.method);
    const response = await this.inner(url, { ...init, signal });
    const contentType = response.headers.get('content-type') ?? '';
    if (request !== undefined) this.lastHttp = { method: request.method, status: response.status, contentType };
    if (isGet)
      return this.watch(
        response,
        readEvents((text) => this.keepAsked(text)),
      );
    if (response.body === null || request?.id === undefined) return response;
    const { id, method } = request;
    const keep = (text: string): void => void (isAnswerTo(text, id) && this.answers.set(method, text));
    const reader = contentType.startsWith('text/event-stream') ? readEvents(keep) : readWhole(keep);
    return this.watch(response, reader);
  };

  private keepAsked(text: string): void {
    for (const [id, method] of this.asked) if (isAnswerTo(text, id)) this.answers.set(method, text);
  }

  private watch(response: Response, reader: BodyReader): Response {
    if (response.body === null) return response;
    const { status, statusText } = response;
    return new Response(response.body.pipeThrough(this.watched(reader)), { status, statusText, headers: [...response.headers] });
  }

  private watched(reader: BodyReader): TransformStream<Uint8Array, Uint8Array> {
    return new TransformStream({
      transform: (chunk, controller) => {
        this.bytesLeft -= chunk.byteLength;
        if (this.bytesLeft < 0) throw new TooManyBytes('The answers are larger than 10 MiB together');
        reader.push(chunk); // before the SDK sees it: when its request settles, the text is here
        controller.enqueue(chunk);
      },
      flush: () => reader.end(),
    });
  }
}

interface BodyReader {
  push(chunk: Uint8Array): void;
  end(): void;
}

function readEvents(keep: (text: string) => void): BodyReader {
  const parser = createSseParser({ lineBytesMax: TOTAL_BYTES_MAX, eventBytesMax: TOTAL_BYTES_MAX });
  return {
    push: (chunk) => {
      for (const { data } of parser.push(chunk)) keep(data);
    },
    end: () => undefined,
  };
}

function readWhole(keep: (text: string) => void): BodyReader {
  const chunks: Uint8Array[] = [];
  return {
    push: (chunk) => void chunks.push(chunk),
    end: () => keep(Buffer.concat(chunks).toString('utf8')),
  };
}

interface SentRequest {
  readonly method: string;
  readonly id: unknown;
}

function readRequest(body: unknown): SentRequest | undefined {
  const message = typeof body === 'string' ? parse(body) : undefined;
  if (typeof message !== 'object' || message === null || !('method' in message) || typeof message.method !== 'string') return undefined;
  return { method: message.method, id: 'id' in message ? message.id : undefined };
}

function isAnswerTo(text: string, id: unknown): boolean {
  const message = parse(text);
  if (typeof message !== 'object' || message === null || !('id' in message) || message.id !== id) return false;
  return 'result' in message || 'error' in message;
}

function parse(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
