import type { ServerResponse } from 'node:http';

/** How long a reader may take no piece at all of what lies ready for it. Whatever it sends meanwhile buys it no time. */
const READER_MS_MAX = 20_000;
/** What is larger goes out piece by piece, so that it can be seen whether the reader gets on. */
export const PIECE_BYTES = 256 * 1024;

/** Calls once when the reader has caught up, or has gone. One that does not get on is hung up on. */
export function onceDrained(response: ServerResponse, listener: () => void): void {
  const timer = setTimeout(() => response.destroy(), READER_MS_MAX).unref();
  const end = (): void => {
    clearTimeout(timer);
    response.off('drain', end).off('finish', end).off('close', end);
    listener();
  };
  response.on('drain', end).on('finish', end).on('close', end);
}

/** Ends an answer with these bytes, as fast as they are read. */
export function endInPieces(response: ServerResponse, bytes: Buffer): void {
  let at = 0;
  const next = (): void => {
    while (!response.destroyed && !response.writableEnded) {
      const piece = bytes.subarray(at, at + PIECE_BYTES);
      at += piece.length;
      const isLast = at >= bytes.length;
      const mayGoOn = isLast ? response.end(piece).writableLength === 0 : response.write(piece);
      if (!mayGoOn) return onceDrained(response, next);
    }
  };
  next();
}
