import { join } from 'node:path';
import type { Extent, FaultCase } from './fault-case.js';
import type { Laboratory } from './laboratory.js';
import { movement } from './movement.js';
import { judge, p99Of, type Verdict } from './oracle.js';
import { revokeMeanwhile } from './revoked-key.js';

/** One line of the report. */
export interface Line extends Verdict {
  readonly name: string;
  readonly seconds: number;
  /** 99th percentiles before and after the fault (O9): to be compared on a machine that does nothing else. */
  readonly beforeMs: number;
  readonly afterMs: number;
}

/** Requests before a fault, and after it is healed. */
const QUIET_REQUESTS = 100;

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
  await movement(ledger, QUIET_REQUESTS);
  const disturbedFrom = ledger.tookMs.length;
  const revoked = await revokeMeanwhile(lab);
  for (const one of cases) {
    await one.inject(lab, ledger, extent).then(
      (boots) => missing.push(...(boots ?? [])),
      (error: unknown) => failures.push(`${one.name}: ${String(error)}`),
    );
    await lab.heal();
  }
  const disturbedTo = ledger.tookMs.length;
  failures.push(...(await revoked.verdict()));
  await movement(ledger, QUIET_REQUESTS);
  await ledger.stop();
  const quiet = { beforeMs: p99Of(ledger.tookMs.slice(0, disturbedFrom)), afterMs: p99Of(ledger.tookMs.slice(disturbedTo)) };
  const verdict = async (): Promise<Line> => {
    const found = await judge(lab, ledger, missing);
    return { ...found, ...quiet, name, wrong: [...failures, ...found.wrong], seconds: Math.round((performance.now() - begun) / 1000) };
  };
  return { ...(await verdict()), judgeAgain: verdict };
}
