import type { AuditTailQuery } from '@portcullis/contracts/api/audit-reports';
import { AuditRecord } from '@portcullis/contracts/api/operations';
import { createSseParser } from '@portcullis/mcp';
import { ApiError } from './api-error.js';
import type { Open } from './send.js';

export interface TailOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told before each new attempt; `error` is undefined where the server ended the stream as it does now and then. */
  readonly onReconnect?: (error: unknown) => void;
}

const FIRST_PAUSE_MS = 1000;
const PAUSE_MS_MAX = 15_000;

/** Rejects where the first connection is refused, or a later one for good (a token that is no longer good). */
export async function* tailAudit(
  open: Open,
  query: AuditTailQuery | undefined,
  { signal, onReconnect }: TailOptions = {},
): AsyncGenerator<AuditRecord, void, undefined> {
  const place: Place = { lastEventId: undefined };
  let hasOpened = false;
  for (let pauseMs = FIRST_PAUSE_MS; !isOver(signal); pauseMs = Math.min(pauseMs * 2, PAUSE_MS_MAX)) {
    let error: unknown;
    try {
      const headers: Record<string, string> = place.lastEventId === undefined ? {} : { 'last-event-id': place.lastEventId };
      const bytes = await open({ route: 'GET /v1/audit/tail', query, takes: 'text/event-stream', headers, signal });
      hasOpened = true;
      pauseMs = FIRST_PAUSE_MS;
      yield* recordsIn(bytes, place);
    } catch (cause) {
      if (isOver(signal)) return;
      if (!hasOpened || isFinal(cause)) throw cause;
      error = cause;
    }
    if (isOver(signal)) return;
    onReconnect?.(error);
    await pause(pauseMs, signal);
  }
}

interface Place {
  lastEventId: string | undefined;
}

async function* recordsIn(bytes: AsyncIterable<Uint8Array>, place: Place): AsyncGenerator<AuditRecord, void, undefined> {
  const parser = createSseParser();
  for await (const chunk of bytes) {
    for (const { data, id } of parser.push(chunk)) {
      yield AuditRecord.parse(JSON.parse(data));
      // Only now: whoever takes no more has taken this one.
      place.lastEventId = id;
    }
    if (parser.fault !== undefined) throw new Error(`The stream of events cannot be read: ${parser.fault}`);
    place.lastEventId = parser.lastEventId ?? place.lastEventId;
  }
}

// A function of its own, or the compiler takes the first answer for the last.
const isOver = (signal: AbortSignal | undefined): boolean => signal?.aborted ?? false;

/** Nothing that waiting would change. */
const isFinal = (error: unknown): boolean =>
  !(error instanceof ApiError) ? isUnreadable(error) : error.status >= 400 && error.status < 500 && error.status !== 429;

const isUnreadable = (error: unknown): boolean => error instanceof SyntaxError || (error instanceof Error && error.name === 'ZodError');

const pause = (ms: number, signal: AbortSignal | undefined): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    }
    signal?.addEventListener('abort', done, { once: true });
  });
