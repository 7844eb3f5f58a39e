// What is smaller may lie in a pool that others use.
const BYTES_MIN = Buffer.poolSize >>> 1;

/**
 * Gives the memory of a piece back at once that was read from a socket and is needed by nobody any more. Where large answers pass through, whole
 * collections would else be made for the sake of memory outside the heap. Whoever reads from the socket may finish with it first.
 */
export function giveBack(piece: Uint8Array): void {
  const { buffer } = piece;
  const isLastOfRead = piece.byteOffset + piece.byteLength === buffer.byteLength;
  if (isLastOfRead && piece.byteLength >= BYTES_MIN && buffer instanceof ArrayBuffer) queueMicrotask(() => buffer.transfer(0));
}
