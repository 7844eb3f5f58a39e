import { GatewayError } from '@portcullis/contracts/errors';
import { createSseParser, type SseEvent } from '@portcullis/mcp';
import type { Dispatcher } from 'undici';

/** Told what comes on a stream, and how it ended; a stream that ends has failed, whatever it says. */
interface SseReader {
  readonly onEvent: (event: SseEvent) => void;
  readonly onFailure: (error: Error) => void;
}

/** More events than this in a second are no server at work. */
const EVENTS_PER_SECOND_MAX = 2000;

/** Reads a stream that stays open, within limits on each event and on their number. Gives what breaks it off. */
export function readSseStream(
  pool: Dispatcher,
  request: { path: string; headers: string[]; firstByteTimeoutMs: number; eventBytesMax: number },
  { onEvent, onFailure }: SseReader,
): () => void {
  const { path, headers, firstByteTimeoutMs, eventBytesMax } = request;
  const parser = createSseParser({ lineBytesMax: eventBytesMax, eventBytesMax });
  const rate = { since: performance.now(), events: 0 };
  let controller: Dispatcher.DispatchController | undefined;
  let isOver = false;
  const end = (error: Error): void => {
    if (isOver) return;
    isOver = true;
    onFailure(error);
    controller?.abort(error);
  };
  const count = (): boolean => {
    const now = performance.now();
    if (now - rate.since > 1000) Object.assign(rate, { since: now, events: 0 });
    rate.events += 1;
    return rate.events <= EVENTS_PER_SECOND_MAX;
  };
  const handler: Dispatcher.DispatchHandler = {
    onRequestStart: (started) => {
      controller = started;
      if (isOver) started.abort(new GatewayError('client.cancelled'));
    },
    onResponseStart: (_controller, status, { 'content-type': type }) => {
      if (status !== 200 || typeof type !== 'string' || !type.startsWith('text/event-stream')) end(new GatewayError('upstream.protocol', { status }));
    },
    onResponseData: (_controller, chunk) => {
      for (const event of parser.push(chunk)) {
        if (isOver) return;
        if (count()) onEvent(event);
        else end(new GatewayError('upstream.protocol', { fault: 'too many events' }));
      }
      if (parser.fault !== undefined) end(new GatewayError(parser.fault === 'not_utf8' ? 'upstream.protocol' : 'upstream.too_large'));
    },
    onResponseEnd: () => end(new GatewayError('upstream.cut', { fault: 'the stream ended' })),
    onResponseError: (_controller, error) => end(error),
  };
  pool.dispatch({ path, method: 'GET', headers, headersTimeout: firstByteTimeoutMs, bodyTimeout: 0 }, handler);
  return () => end(new GatewayError('upstream.unreachable', { fault: 'the connection was closed' }));
}
