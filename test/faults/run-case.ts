import { join } from 'node:path';
import type { Ledger } from '../e2e/ledger.js';
import type { Extent, FaultCase } from './fault-case.js';
import type { Laboratory } from './laboratory.js';
import { movement } from './movement.js';
import { judge, p99Of, type Verdict } from './oracle.js';
import { revokeMeanwhile } from './revoked-key.js';

/** One line of the report. */
export interface Line extends Verdict {
  readonly name: string;
  readonly seconds: number;
  /** 99th percentiles before the fault, and in the first requests after it that were as quick again (O9). */
  readonly beforeMs: number;
  readonly afterMs: number;
}

/** Requests before a fault, and after it is healed. */
const QUIET_REQUESTS = 100;
/** The first of them find a system that has done nothing for a while. */
const WARM_REQUESTS = 50;
/** What they may take longer afterwards, at the 99th percentile; below some milliseconds a percentile is the machine's. */
const SLOWER_MAX = 1.1;
const SLOWER_MS = 2;
/** So often are as many requests looked at again: one call in a hundred waits for whatever else a machine does. */
const LOOKS_MAX = 40;

export interface Judged extends Line {
  /** What is on record now of the same requests: what was late is there by then, what was lost is not. */
  readonly judgeAgain: () => Promise<Line>;
}

/** Waits until requests are quick again; gives the lowest 99th percentile of those that were looked at. */
async function quietAgain(ledger: Ledger, goodMs: number): Promise<number> {
  let lowest = Number.POSITIVE_INFINITY;
  for (let look = 0; look === 0 || (look < LOOKS_MAX && lowest > goodMs); look += 1) {
    const from = ledger.tookMs.length;
    await movement(ledger, QUIET_REQUESTS);
    lowest = Math.min(lowest, p99Of(ledger.tookMs.slice(from)));
  }
  return lowest;
}

/** Sends requests, lets all this happen one after the other meanwhile, heals everything, and judges. What an earlier case left disturbed is healed first. */
export async function runCases(lab: Laboratory, cases: readonly FaultCase[], extent: Extent): Promise<Judged> {
  await lab.heal();
  const ledger = lab.crowd(Math.min(...cases.map(({ perSecond }) => perSecond)), join(lab.directory, 'ledger.ndjson'));
  try {
    return await runUnder(ledger, lab, cases, extent);
  } finally {
    await ledger.stop();
  }
}

async function runUnder(ledger: Ledger, lab: Laboratory, cases: readonly FaultCase[], extent: Extent): Promise<Judged> {
  const begun = performance.now();
  const name = cases.map((one) => one.name).join(' ');
  const missing: string[] = [];
  const failures: string[] = [];
  await movement(ledger, WARM_REQUESTS + QUIET_REQUESTS);
  const beforeMs = p99Of(ledger.tookMs.slice(WARM_REQUESTS));
  const revoked = await revokeMeanwhile(lab);
  for (const one of cases) {
    await one.inject(lab, ledger, extent).then(
      (boots) => missing.push(...(boots ?? [])),
      (error: unknown) => failures.push(`${one.name}: ${String(error)}`),
    );
    await lab.heal();
  }
  failures.push(...(await revoked.verdict()));
  const goodMs = extent.isTimed ? Math.max(beforeMs * SLOWER_MAX, beforeMs + SLOWER_MS) : Number.POSITIVE_INFINITY;
  const afterMs = await quietAgain(ledger, goodMs);
  await ledger.stop();
  if (afterMs > goodMs) failures.push(`O9: p99 is ${afterMs} ms, and was ${beforeMs} ms before`);
  const verdict = async (): Promise<Line> => {
    const found = await judge(lab, ledger, missing);
    return { ...found, beforeMs, afterMs, name, wrong: [...failures, ...found.wrong], seconds: Math.round((performance.now() - begun) / 1000) };
  };
  return { ...(await verdict()), judgeAgain: verdict };
}
