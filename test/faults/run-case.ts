import { join } from 'node:path';
import type { Extent, FaultCase } from './fault-case.js';
import type { Laboratory } from './laboratory.js';
import { judge, type Verdict } from './oracle.js';

/** One line of the report. */
export interface Line extends Verdict {
  readonly name: string;
  readonly seconds: number;
}

/** Sends requests, lets all this happen one after the other meanwhile, heals everything, and judges. */
export async function runCases(lab: Laboratory, key: string, cases: readonly FaultCase[], extent: Extent): Promise<Line> {
  const begun = performance.now();
  const name = cases.map((one) => one.name).join(' ');
  const ledger = lab.crowd(key, Math.min(...cases.map(({ perSecond }) => perSecond)), join(lab.directory, 'ledger.ndjson'));
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
  const verdict = await judge(lab, ledger, missing);
  return { ...verdict, name, wrong: [...failures, ...verdict.wrong], seconds: Math.round((performance.now() - begun) / 1000) };
}
