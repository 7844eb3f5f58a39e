/**
 * Gives the memory of these bytes back now: what is read to be parsed outlives the short collections, and a whole policy of it would wait for a long one.
 * The bytes are empty from then on. Bytes that lie in a larger piece of memory stay as they are.
 */
export function releaseBytes(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === bytes.byteLength) buffer.transfer(0);
}

/** The same for bytes that are known to share the piece they lie in with nothing else that is in use. Small ones lie in a pool and stay. */
export function releasePiece({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength > Buffer.poolSize) buffer.transfer(0);
}
