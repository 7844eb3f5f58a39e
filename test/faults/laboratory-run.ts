import { allCases } from './all-cases.js';
import type { Extent, FaultCase } from './fault-case.js';
import { Laboratory } from './laboratory.js';
import { type Judged, type Line, runCases } from './run-case.js';
import { seededRandom } from './seeded-random.js';

export interface RunOptions {
  /** Faults at random for so long; each chosen case once, whole, where it is left out. */
  readonly minutes?: number | undefined;
  readonly seed: number;
  /** Only these. */
  readonly names?: readonly string[] | undefined;
  /** At most so many requests a second. */
  readonly perSecond?: number | undefined;
  readonly onLine: (line: Line) => void;
  /** Where logs, spools and the ledger of a run with findings lie. */
  readonly onKept: (directory: string) => void;
}

const FAULTS_A_ROUND = 4;

/** Runs chosen cases, or faults at random, in one laboratory. A seed chooses the same faults in the same order. */
export async function run({ minutes, seed, names, perSecond, onLine, onKept }: RunOptions): Promise<readonly Line[]> {
  const random = seededRandom(seed);
  const chosen = allCases
    .filter(({ name }) => names === undefined || names.includes(name))
    .map((one) => ({ ...one, perSecond: Math.min(one.perSecond, perSecond ?? one.perSecond) }));
  const lab = await Laboratory.start();
  const lines: Judged[] = [];
  const round = async (cases: readonly FaultCase[], extent: Extent): Promise<void> => {
    const line = await runCases(lab, cases, extent);
    lines.push(line);
    onLine(line);
  };
  try {
    if (minutes === undefined) for (const one of chosen) await round([one], { times: 10, seconds: (whole) => whole, random, isTimed: true });
    else {
      const end = performance.now() + minutes * 60_000;
      const pool = chosen.filter(({ isForRandom }) => isForRandom);
      while (performance.now() < end) {
        const cases = Array.from({ length: FAULTS_A_ROUND }, () => pool[Math.floor(random() * pool.length)]).filter((one) => one !== undefined);
        await round(cases, { times: 1 + Math.floor(random() * 3), seconds: (whole) => Math.min(whole, 20) * random(), random, isTimed: true });
      }
    }
    for (const late of lines.filter(({ wrong }) => wrong.length > 0)) onLine({ ...(await late.judgeAgain()), name: `${late.name}, at the end` });
  } finally {
    const keepFiles = lines.some(({ wrong }) => wrong.length > 0);
    await lab.stop({ keepFiles });
    if (keepFiles) onKept(lab.directory);
  }
  return lines;
}
