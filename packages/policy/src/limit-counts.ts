import { RATE_SLICES, type CallLimitTerms, type QuotaPeriod } from '@portcullis/contracts/limits';

/** A calendar day or month in UTC: its name, and when it ends (epoch milliseconds). */
export interface Period {
  readonly name: string;
  readonly endsAt: number;
}

/** The day or month that this moment (epoch milliseconds) lies in. */
export function periodAt(per: QuotaPeriod, now: number): Period {
  const date = new Date(now);
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  return per === 'day'
    ? { name: date.toISOString().slice(0, 10), endsAt: Date.UTC(year, month, day + 1) }
    : { name: date.toISOString().slice(0, 7), endsAt: Date.UTC(year, month + 1) };
}

/** What of a limit is used, and how long (milliseconds) until there is some again; 0 where there is some now. */
export interface Use {
  readonly used: number;
  readonly freeInMs: number;
}

/** How much of a rate is used, from what was counted in each slice of time; the numbers of slices are those of that same clock. */
export function rateUse(
  { calls, perSeconds }: Extract<CallLimitTerms, { kind: 'rate' }>,
  slices: Readonly<Record<string, string>>,
  now: number,
): Use {
  const sliceMs = (perSeconds * 1000) / RATE_SLICES;
  const kept = RATE_SLICES + 2;
  const current = Math.floor(now / sliceMs);
  const counting = Object.entries(slices)
    .map(([slice, count]) => ({ slice: Number(slice), count: Number(count) }))
    .filter(({ slice, count }) => slice > current - kept && slice <= current + 1 && count > 0);
  const used = counting.reduce((sum, { count }) => sum + count, 0);
  if (used < calls) return { used, freeInMs: 0 };
  const oldest = Math.min(...counting.map(({ slice }) => slice));
  return { used, freeInMs: Math.max(1, Math.ceil((oldest + kept) * sliceMs - now)) };
}
