import { hash } from 'node:crypto';

export interface Capture {
  /** SHA-256 (hex) and size of the whole. */
  readonly hash: string;
  readonly bytes: number;
  /** Base64 of the first `bytesMax` bytes, or null where nothing is to be kept. */
  readonly kept: string | null;
  readonly truncated: boolean;
}

/** What an event keeps of arguments or a result: always the hash and the size, and of the bytes as many as are allowed. */
export function capture(content: Buffer | string, bytesMax: number): Capture {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  const truncated = bytes.length > bytesMax;
  const kept = bytesMax === 0 ? null : (truncated ? bytes.subarray(0, bytesMax) : bytes).toString('base64');
  return { hash: hash('sha256', bytes, 'hex'), bytes: bytes.length, kept, truncated };
}
