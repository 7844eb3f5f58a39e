import type { IncomingMessage } from 'node:http';

/** What is read and thrown away for the sake of an answer: beyond it the connection is simply cut. */
const BYTES_MAX = 16 * 1024 * 1024;
const MS_MAX = 1000;

/**
 * Reads and throws away what a client is still sending of a refused request, up to 16 MiB and a second. A connection that is closed while its client
 * sends is reset by the kernel, and the answer that was to explain it is lost. Resolves when there is nothing more to read, or enough was read.
 */
export function discardBody(request: IncomingMessage): Promise<void> {
  if (request.complete || request.destroyed || Number(request.headers['content-length'] ?? 0) > BYTES_MAX) return Promise.resolve();
  return new Promise((resolve) => {
    let bytes = 0;
    const end = (): void => {
      clearTimeout(timer);
      request.off('data', count).off('end', end).off('close', end);
      resolve();
    };
    const count = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > BYTES_MAX) end();
    };
    const timer = setTimeout(end, MS_MAX);
    request.on('data', count).on('end', end).on('close', end);
    request.resume();
  });
}
