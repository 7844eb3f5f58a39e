import { randomFillSync } from 'node:crypto';

const RANDOM_BYTES = 10;
const POOL_BYTES = RANDOM_BYTES * 2048;
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

const pool = new Uint8Array(POOL_BYTES);
let at = POOL_BYTES;
let timeMs = -1;
let timePart = '';

/**
 * A UUIDv7 (RFC 9562 §5.7) of this moment. Its random bytes are fetched two thousand ids at a time: asking the system for each costs more than the
 * rest of an event.
 */
export function newEventId(): string {
  const now = Date.now();
  if (now !== timeMs) {
    timeMs = now;
    const digits = now.toString(16).padStart(12, '0');
    timePart = `${digits.slice(0, 8)}-${digits.slice(8)}-7`;
  }
  if (at === POOL_BYTES) {
    randomFillSync(pool);
    at = 0;
  }
  const first = HEX[byte()]?.[0] ?? '';
  const second = `${first}${hex()}-${HEX[0x80 | (byte() & 0x3f)] ?? ''}${hex()}`;
  return `${timePart}${second}-${hex()}${hex()}${hex()}${hex()}${hex()}${hex()}`;
}

const byte = (): number => pool[at++] ?? 0;
const hex = (): string => HEX[pool[at++] ?? 0] ?? '';
