import { measureLoad } from './measure-load.mjs';

export const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;

/**
 * Calls at a fixed rate in pairs of windows, one beside what `usual` begins and one beside what `disturb` begins, since the machine's own mood changes
 * within minutes: what counts is the ratio within a pair, of which now one and now the other comes first. Both are awaited before their window and give
 * what ends them. Gives the medians.
 */
export async function pairedWindows({ target, load, rounds }, usual, disturb) {
  const windowBeside = async (begin) => {
    const end = await begin();
    try {
      return await measureLoad(target, load);
    } finally {
      await end();
    }
  };
  const pairs = [];
  for (let round = 0; round < rounds; round += 1) {
    const isReversed = round % 2 === 1;
    const first = await windowBeside(isReversed ? disturb : usual);
    const second = await windowBeside(isReversed ? usual : disturb);
    pairs.push(isReversed ? { before: second, during: first } : { before: first, during: second });
  }
  return summaryOf(pairs);
}

/** Medians over pairs of windows, and the median of the ratios within each. */
export function summaryOf(pairs) {
  const of = (read) => median(pairs.map(read));
  // What all calls take of the node, those of the neighbours too: steady where latencies follow the machine's mood.
  const share = ({ cpuUs, callsPerSecond }) => ((cpuUs?.node ?? NaN) * callsPerSecond) / 1e4;
  const sum = (read) => pairs.reduce((total, pair) => total + read(pair), 0);
  return {
    before: { p50Ms: of(({ before }) => before.p50Ms), p99Ms: of(({ before }) => before.p99Ms) },
    during: { p50Ms: of(({ during }) => during.p50Ms), p99Ms: of(({ during }) => during.p99Ms) },
    p99Ratios: pairs.map(({ before, during }) => during.p99Ms / before.p99Ms).toSorted((a, b) => a - b),
    ratio: { p50: of(({ before, during }) => during.p50Ms / before.p50Ms), p99: of(({ before, during }) => during.p99Ms / before.p99Ms) },
    cpuPercent: { before: of(({ before }) => share(before)), during: of(({ during }) => share(during)) },
    failed: sum(({ before, during }) => before.failed + during.failed),
  };
}

/** `p50 / p99` before, meanwhile, and their ratios, the least and the greatest of p99, failed calls, and how much of a core the node took, as cells of a table. */
export function pairCells({ before, during, ratio, p99Ratios, failed, cpuPercent }) {
  const two = (a, b, digits) => `${a.toFixed(digits)} / ${b.toFixed(digits)}`;
  return [
    two(before.p50Ms, before.p99Ms, 1),
    two(during.p50Ms, during.p99Ms, 1),
    two(ratio.p50, ratio.p99, 2),
    `${p99Ratios[0]?.toFixed(2)} to ${p99Ratios.at(-1)?.toFixed(2)}`,
    String(failed),
    `${cpuPercent.before.toFixed(0)} → ${cpuPercent.during.toFixed(0)}`,
  ];
}
