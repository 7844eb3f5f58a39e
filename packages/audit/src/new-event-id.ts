import { randomFillSync } from 'node:crypto';

const RANDOM_BYTES = 10;
const POOL_BYTES = RANDOM_BYTES * 2048;
const DIGITS = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));

const pool = new Uint8Array(POOL_BYTES);
let at = POOL_BYTES;
let timeMs = -1;
/** The last id, which the next one is written over: put together from pieces, an id would be an object for each. */
const written = Buffer.from('00000000-0000-7000-8000-000000000000');

/**
 * A UUIDv7 (RFC 9562 §5.7) of this moment. Its random bytes are fetched two thousand ids at a time: asking the system for each costs more than the
 * rest of an event.
 */
export function newEventId(): string {
  const now = Date.now();
  if (now !== timeMs) {
    timeMs = now;
    const digits = now.toString(16).padStart(12, '0');
    written.write(`${digits.slice(0, 8)}-${digits.slice(8)}`);
  }
  if (at === POOL_BYTES) {
    randomFillSync(pool);
    at = 0;
  }
  written[15] = digit(byte());
  writeHex(16, byte());
  writeHex(19, 0x80 | (byte() & 0x3f));
  writeHex(21, byte());
  for (let place = 24; place < written.length; place += 2) writeHex(place, byte());
  return written.toString('latin1');
}

const byte = (): number => pool[at++] ?? 0;
const digit = (value: number): number => DIGITS[value & 0x0f] ?? 0;

function writeHex(place: number, value: number): void {
  written[place] = digit(value >> 4);
  written[place + 1] = digit(value);
}
