import type { IncomingMessage } from 'node:http';
import { GatewayError } from '@portcullis/contracts/errors';

/**
 * The whole body, of at most `bytesMax` bytes (`client.too_large` at the first byte beyond). That it comes in time is the server's
 * `requestTimeout`; a caller that goes away in between is `client.timeout`, which nobody is left to read.
 */
export function readBody(request: IncomingMessage, bytesMax: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > bytesMax) {
        request.removeAllListeners('data');
        request.pause();
        reject(new GatewayError('client.too_large'));
      } else chunks.push(chunk);
    });
    request.on('end', () => {
      const [only] = chunks;
      resolve(chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks));
    });
    request.on('error', (error) => {
      reject(new GatewayError('client.timeout', {}, { cause: error }));
    });
  });
}
