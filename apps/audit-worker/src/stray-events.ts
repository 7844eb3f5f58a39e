import type { DecodedBatch } from '@portcullis/audit';

/** Before there was a trail. */
const FIRST_MS = Date.UTC(2020, 0, 1);
/** So far may a clock be ahead. */
const AHEAD_MS = 366 * 86_400_000;

/** The time in a UUIDv7, in epoch milliseconds. */
export const timeIn = (uuidv7: string): number => Number.parseInt(uuidv7.slice(0, 8) + uuidv7.slice(9, 13), 16);

/**
 * Whether the trail may have a day for this time. Each day is a table: whoever holds a node's key could make up times to have thousands made, and for
 * some there is none.
 */
export const hasDay = (ms: number, now: number): boolean => ms >= FIRST_MS && ms <= now + AHEAD_MS;

/** Where a day has to be and none is meant. */
export const NO_DAY_MS = FIRST_MS;

/** The batch with events of impossible times set aside, as those that cannot be read are. */
export function withStraysAside(decoded: DecodedBatch, now: number): DecodedBatch {
  const strays = decoded.events.filter(({ callId }) => !hasDay(timeIn(callId), now));
  if (strays.length === 0) return decoded;
  const aside = new Set(strays);
  const { firstSeq } = decoded.batch;
  const unreadable = strays.map(({ seq }) => ({ seq, bytes: decoded.frames[seq - firstSeq]?.payload ?? Buffer.alloc(0) }));
  return { ...decoded, events: decoded.events.filter((event) => !aside.has(event)), unreadable: [...decoded.unreadable, ...unreadable] };
}
