import { join } from 'node:path';
import type { Extent, FaultCase } from './fault-case.js';
import type { Laboratory } from './laboratory.js';
import { judge, type Verdict } from './oracle.js';

/** One line of the report. */
export interface Line extends Verdict {
  readonly name: string;
  readonly seconds: number;
}

export interface Judged extends Line {
  /** What is on record now of the same requests: what was late is there by then, what was lost is not. */
  readonly judgeAgain: () => Promise<Line>;
}

/** Sends requests, lets all this happen one after the other meanwhile, heals everything, and judges. */
export async function runCases(lab: Laboratory, cases: readonly FaultCase[], extent: Extent): Promise<Judged> {
  const begun = performance.now();
  const name = cases.map((one) => one.name).join(' ');
  const ledger = lab.crowd(Math.min(...cases.map(({ perSecond }) => perSecond)), join(lab.directory, 'ledger.ndjson'));
  const missing: string[] = [];
  const failures: string[] = [];
  for (const one of cases) {
    await one.inject(lab, ledger, extent).then(
      (boots) => missing.push(...(boots ?? [])),
      (error: unknown) => failures.push(`${one.name}: ${String(error)}`),
    );
    await lab.heal();
  }
  await ledger.stop();
  const verdict = async (): Promise<Line> => {
    const found = await judge(lab, ledger, missing);
    return { ...found, name, wrong: [...failures, ...found.wrong], seconds: Math.round((performance.now() - begun) / 1000) };
  };
  return { ...(await verdict()), judgeAgain: verdict };
}
