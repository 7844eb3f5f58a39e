import { crc32 } from 'node:zlib';

/** `[payload length u32][crc32 u32][seq u64][payload]`, little-endian; the checksum covers seq and payload. */
const HEADER_BYTES = 16;
const PAYLOAD_BYTES_MAX = 8 * 1024 * 1024;

export interface Frame {
  readonly seq: number;
  readonly payload: Buffer;
  /** The whole frame, header included. */
  readonly bytes: Buffer;
}

export function encodeFrame(seq: number, payload: string): Buffer {
  const payloadBytes = Buffer.byteLength(payload);
  const frame = Buffer.allocUnsafe(HEADER_BYTES + payloadBytes);
  frame.writeUInt32LE(payloadBytes, 0);
  frame.writeBigUInt64LE(BigInt(seq), 8);
  frame.write(payload, HEADER_BYTES);
  frame.writeUInt32LE(crc32(frame.subarray(8)), 4);
  return frame;
}

/** The whole frames at the start of `bytes`, and how many bytes they take. Stops at the first torn or damaged one. */
export function decodeFrames(bytes: Buffer): { frames: Frame[]; goodBytes: number } {
  const frames: Frame[] = [];
  let at = 0;
  while (at + HEADER_BYTES <= bytes.length) {
    const payloadBytes = bytes.readUInt32LE(at);
    const end = at + HEADER_BYTES + payloadBytes;
    if (payloadBytes > PAYLOAD_BYTES_MAX || end > bytes.length) break;
    if (crc32(bytes.subarray(at + 8, end)) !== bytes.readUInt32LE(at + 4)) break;
    frames.push({ seq: Number(bytes.readBigUInt64LE(at + 8)), payload: bytes.subarray(at + HEADER_BYTES, end), bytes: bytes.subarray(at, end) });
    at = end;
  }
  return { frames, goodBytes: at };
}
