import { crc32 } from 'node:zlib';

/** `[payload length u32][crc32 u32][seq u64][payload]`, little-endian; the checksum covers seq and payload. */
const HEADER_BYTES = 16;
const PAYLOAD_BYTES_MAX = 8 * 1024 * 1024;
const BLOCK_BYTES = 64 * 1024;
const UTF8_BYTES_PER_CHAR_MAX = 3;
const TWO_TO_32 = 2 ** 32;

export interface Frame {
  readonly seq: number;
  readonly payload: Buffer;
  /** The whole frame, header included. */
  readonly bytes: Buffer;
}

let block = Buffer.alloc(0);
let used = 0;

/** One frame. Frames lie behind one another in blocks, so that a run of them is written as one piece (`joinFrames`). */
export function encodeFrame(seq: number, payload: string): Buffer {
  const bytesMax = HEADER_BYTES + payload.length * UTF8_BYTES_PER_CHAR_MAX;
  if (block.length - used < bytesMax) {
    block = Buffer.allocUnsafeSlow(Math.max(bytesMax, BLOCK_BYTES));
    used = 0;
  }
  const start = used;
  const payloadBytes = block.write(payload, start + HEADER_BYTES);
  const end = start + HEADER_BYTES + payloadBytes;
  block.writeUInt32LE(payloadBytes, start);
  // Not as one BigInt: that is an allocation per event.
  block.writeUInt32LE(seq % TWO_TO_32, start + 8);
  block.writeUInt32LE(Math.floor(seq / TWO_TO_32), start + 12);
  block.writeUInt32LE(crc32(block.subarray(start + 8, end)), start + 4);
  used = end;
  return block.subarray(start, end);
}

/** The frame of a payload that lies somewhere already, such as one that was read back. */
export function frameOf(seq: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
  bytes.writeUInt32LE(payload.length, 0);
  bytes.writeUInt32LE(seq % TWO_TO_32, 8);
  bytes.writeUInt32LE(Math.floor(seq / TWO_TO_32), 12);
  bytes.set(payload, HEADER_BYTES);
  bytes.writeUInt32LE(crc32(bytes.subarray(8)), 4);
  return bytes;
}

/** Consecutive frames as one piece: without a copy where they lie behind one another. */
export function joinFrames(frames: readonly Buffer[]): Buffer {
  const [first] = frames;
  if (first === undefined) return Buffer.alloc(0);
  let end = first.byteOffset;
  for (const frame of frames) {
    if (frame.buffer !== first.buffer || frame.byteOffset !== end) return Buffer.concat(frames);
    end += frame.length;
  }
  return Buffer.from(first.buffer, first.byteOffset, end - first.byteOffset);
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
