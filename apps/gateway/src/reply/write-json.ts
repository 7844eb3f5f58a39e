import type { ServerResponse } from 'node:http';
import { endInPieces, PIECE_BYTES } from './slow-reader.js';

/** One JSON answer with its length, in as few writes as its pieces allow. */
export function writeJson(response: ServerResponse, status: number, answer: { headers: string[]; body: readonly (string | Buffer)[] }): void {
  const { headers, body } = answer;
  let length = 0;
  for (const piece of body) length += typeof piece === 'string' ? Buffer.byteLength(piece) : piece.length;
  headers.push('content-type', 'application/json', 'content-length', String(length));
  response.writeHead(status, headers);
  if (length > PIECE_BYTES) {
    endInPieces(response, Buffer.concat(body.map((piece) => Buffer.from(piece))));
    return;
  }
  const [first] = body;
  if (body.length === 1 && first !== undefined) {
    // Where each character is a byte, as in most answers, nothing needs to be encoded.
    if (typeof first === 'string' && first.length === length) response.end(first, 'latin1');
    else response.end(first);
    return;
  }
  response.cork();
  for (const piece of body) response.write(piece);
  response.end();
}
