/** How far two sets of timings lie apart. */
export interface TimingComparison {
  /** Medians, in microseconds. */
  readonly medians: readonly [number, number];
  /** Welch's t of what is left without the slowest twentieth of both together, where the machine's own noise lies. */
  readonly t: number;
  /** The share of pairs in which the first takes longer (Mann–Whitney's U; equal ones count half): 0.5 tells nothing apart, 0 and 1 tell everything. */
  readonly effect: number;
}

const KEPT_SHARE = 0.95;

/** Compares two sets of timings in microseconds. */
export function compareTimings(first: readonly number[], second: readonly number[]): TimingComparison {
  const all = Float64Array.from([...first, ...second]).sort();
  const most = all[Math.floor(all.length * KEPT_SHARE)] ?? Infinity;
  const kept = [first, second].map((set) => set.filter((us) => us < most)) as [number[], number[]];
  return { medians: [median(first), median(second)], t: welch(...kept), effect: shareLonger(first, second) };
}

const median = (set: readonly number[]): number => Float64Array.from(set).sort()[Math.floor(set.length / 2)] ?? NaN;

function welch(first: readonly number[], second: readonly number[]): number {
  const [a, b] = [momentsOf(first), momentsOf(second)];
  return (a.mean - b.mean) / Math.sqrt(a.variance / first.length + b.variance / second.length);
}

function momentsOf(set: readonly number[]): { mean: number; variance: number } {
  const mean = set.reduce((sum, us) => sum + us, 0) / set.length;
  return { mean, variance: set.reduce((sum, us) => sum + (us - mean) ** 2, 0) / (set.length - 1) };
}

/** By ranks; equal values share theirs. */
function shareLonger(first: readonly number[], second: readonly number[]): number {
  const ranked = [...first.map((us) => ({ us, isFirst: true })), ...second.map((us) => ({ us, isFirst: false }))].sort((a, b) => a.us - b.us);
  let ranks = 0;
  for (let at = 0; at < ranked.length;) {
    let end = at;
    while (end < ranked.length && ranked[end]?.us === ranked[at]?.us) end += 1;
    for (let of = at; of < end; of += 1) if (ranked[of]?.isFirst === true) ranks += (at + 1 + end) / 2;
    at = end;
  }
  return (ranks - (first.length * (first.length + 1)) / 2) / (first.length * second.length);
}
