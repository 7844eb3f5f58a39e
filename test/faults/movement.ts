import type { Ledger } from '../e2e/ledger.js';
import { until } from './until.js';

/** Waits until so many more requests were answered, by whichever node. */
export async function movement(ledger: Ledger, count: number): Promise<void> {
  const wanted = ledger.tookMs.length + count;
  await until(`${count} more requests are answered`, () => ledger.tookMs.length >= wanted);
}
