import { createHash, hash } from 'node:crypto';

export interface Capture {
  /** SHA-256 (hex) and size of the whole. */
  readonly hash: string;
  readonly bytes: number;
  /** Base64 of the first `bytesMax` bytes, or null where nothing is to be kept. */
  readonly kept: string | null;
  readonly truncated: boolean;
}

const scratch = Buffer.allocUnsafeSlow(16 * 1024);
const UTF8_BYTES_PER_CHAR_MAX = 3;

/** What an event keeps of arguments or a result: always the hash and the size, and of the bytes as many as are allowed. */
export function capture(content: Buffer | string, bytesMax: number): Capture {
  // Small texts, which most are, go through one buffer that is used again and again.
  const isSmallText = typeof content === 'string' && content.length * UTF8_BYTES_PER_CHAR_MAX <= scratch.length;
  const bytes = isSmallText ? scratch : typeof content === 'string' ? Buffer.from(content) : content;
  const length = isSmallText ? scratch.write(content) : bytes.length;
  const kept = bytesMax === 0 ? null : bytes.toString('base64', 0, Math.min(length, bytesMax));
  // A text is hashed as the UTF-8 that it was written as, and needs no view of the buffer then.
  return { hash: hash('sha256', isSmallText ? content : bytes, 'hex'), bytes: length, kept, truncated: length > bytesMax };
}

/** `capture` of content that comes in pieces; it holds no more of them than is kept. */
export class PieceCapture {
  private readonly hash = createHash('sha256');
  private readonly kept: Buffer[] = [];
  private keptBytes = 0;
  private bytes = 0;

  constructor(private readonly bytesMax: number) {}

  push(piece: Uint8Array): void {
    this.hash.update(piece);
    this.bytes += piece.length;
    const room = this.bytesMax - this.keptBytes;
    if (room === 0 || piece.length === 0) return;
    const part = Buffer.from(piece.subarray(0, room));
    this.kept.push(part);
    this.keptBytes += part.length;
  }

  /** What is kept of all pieces; none may follow. */
  end(): Capture {
    const kept = this.bytesMax === 0 ? null : Buffer.concat(this.kept).toString('base64');
    return { hash: this.hash.digest('hex'), bytes: this.bytes, kept, truncated: this.bytes > this.bytesMax };
  }
}
