import { PassThrough } from 'node:stream';
import type { IncomingMessage } from 'node:http';
import { discardBody } from '@portcullis/boot';
import { SourceInterrupted } from './run-import.js';

/** A request's body that can be left before its end, so that an answer still reaches its sender. */
export interface OpenBody {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Ends reading; `why` ends it with an interruption. */
  readonly stop: (why?: string) => void;
  /** Reads a while and throws away what the sender is still sending. */
  discard(): Promise<void>;
}

export const SILENCE_MS = 60_000;

/** Reads no faster than the chunks are taken. It is interrupted when the sender goes away or is silent for too long. */
export function openBody(request: IncomingMessage, silenceMs = SILENCE_MS): OpenBody {
  const chunks = new PassThrough();
  const stop = (why = 'The import was stopped.'): void => {
    waitNoMore();
    request.unpipe(chunks);
    chunks.destroy(new SourceInterrupted(why));
  };
  // Whoever does not read on must not meet the error elsewhere.
  chunks.on('error', () => undefined);
  let hasMoved = true;
  const judge = (): void => {
    // A sender whose bytes we have not taken yet, or took a moment ago, is not silent.
    if (!hasMoved && !chunks.writableNeedDrain) return stop(`The sender sent nothing for ${silenceMs / 1000} s.`);
    hasMoved = false;
    silence.refresh();
  };
  let judging: NodeJS.Immediate | undefined;
  // What came while this process stood still is read first.
  const silence = setTimeout(() => (judging = setImmediate(judge)), silenceMs);
  const waitNoMore = (): void => {
    clearTimeout(silence);
    clearImmediate(judging);
  };
  request.on('data', () => (hasMoved = true));
  chunks.on('drain', () => (hasMoved = true));
  request.once('end', waitNoMore);
  request.once('close', () => {
    if (!request.complete) stop('The sender went away before the end.');
  });
  request.on('error', () => stop('The sender went away before the end.'));
  request.pipe(chunks);
  return { chunks, stop, discard: () => discardBody(request) };
}
