// Small buffers are slices of a pool, which is made as large as no read from a socket (64 KiB at most) is, so that it is known by its size.
Buffer.poolSize = 64 * 1024 + 8;
for (let slices = 0; slices < 8 && !isPool(Buffer.allocUnsafe(Buffer.poolSize >>> 2).buffer); slices += 1);
/** Less is not worth it. */
const BYTES_MIN = 4096;
/** What may stand behind a piece: the end of an HTTP chunk and the head of the next. */
const FRAMING_BYTES = 16;

function isPool(buffer: ArrayBufferLike): boolean {
  return buffer.byteLength === Buffer.poolSize;
}

/**
 * Gives the memory of a read from a socket back at once, where this piece is the last of it, and nobody needs any of it any more. Where large answers
 * pass through, whole collections would else be made for the sake of memory outside the heap. Whoever reads from the socket may finish with it first.
 */
export function giveBack(piece: Uint8Array): void {
  const { buffer } = piece;
  const isLastOfRead = piece.byteOffset + piece.byteLength === buffer.byteLength;
  if (isLastOfRead && buffer.byteLength >= BYTES_MIN && buffer instanceof ArrayBuffer && !isPool(buffer)) queueMicrotask(() => buffer.transfer(0));
}

/** Where an answer that should pause does so: in the middle of a read, the rest of it, which is there anyway, would be copied. */
export class PausePlace {
  private dueIn: ArrayBufferLike | undefined;

  /** Asked behind every piece from that on which asked for the pause: whether it is now. */
  isBehind({ buffer, byteOffset, byteLength }: Uint8Array): boolean {
    const isEnd = buffer.byteLength - byteOffset - byteLength < FRAMING_BYTES;
    const isNow = isEnd || (this.dueIn !== undefined && this.dueIn !== buffer);
    this.dueIn = isNow ? undefined : buffer;
    return isNow;
  }
}
