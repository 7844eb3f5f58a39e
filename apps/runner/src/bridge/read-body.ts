import type { IncomingMessage } from 'node:http';

/** The whole body of a request, in memory of its own; undefined where it is longer than that. Rejects when its sender breaks off. */
export function readBody(request: IncomingMessage, bytesMax: number): Promise<Buffer | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) return Promise.resolve(undefined);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const take = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > bytesMax) {
        request.off('data', take);
        resolve(undefined);
      } else chunks.push(chunk);
    };
    request.on('data', take);
    // Copied where it is one piece too: it is written into, and the rest of that memory is somebody else's.
    request.once('end', () => resolve(Buffer.concat(chunks)));
    request.once('error', reject);
    request.once('close', () => {
      if (!request.complete) reject(new Error('The request was broken off'));
    });
  });
}
