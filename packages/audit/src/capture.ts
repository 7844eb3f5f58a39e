import { hash } from 'node:crypto';

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
  const bytes = typeof content === 'string' ? bytesOf(content) : content;
  const truncated = bytes.length > bytesMax;
  const kept = bytesMax === 0 ? null : bytes.toString('base64', 0, Math.min(bytes.length, bytesMax));
  return { hash: hash('sha256', bytes, 'hex'), bytes: bytes.length, kept, truncated };
}

/** Small texts, which most are, go through one buffer that is used again and again. */
function bytesOf(content: string): Buffer {
  if (content.length * UTF8_BYTES_PER_CHAR_MAX > scratch.length) return Buffer.from(content);
  return scratch.subarray(0, scratch.write(content));
}
