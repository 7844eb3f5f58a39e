import type { CostFilter } from './costs.repository.js';

const DAY_MS = 86_400_000;

/** The days of a period, in UTC; the first and the last may be parts of one. */
export function daysOf({ from, to, ...named }: CostFilter): CostFilter[] {
  const days: CostFilter[] = [];
  for (let start = from; start < to;) {
    const midnight = new Date((Math.floor(start.getTime() / DAY_MS) + 1) * DAY_MS);
    const end = midnight < to ? midnight : to;
    days.push({ from: start, to: end, ...named });
    start = end;
  }
  return days;
}
