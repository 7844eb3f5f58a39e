import { RATE_SLICES } from '@portcullis/contracts/limits';
import type { SharedCount } from './leased-count.js';
import type { Leases, RateLease, Wanted } from './leases.js';
import { SlidingWindow } from './sliding-window.js';

/** A lease is at most this part of a limit, so that no node holds much of it. */
const LEASE_PART = 20;

/**
 * So many calls in any window of time. What is not used within a tenth of the window is given back with the next question. Without the shared count a node
 * allows the whole limit by itself.
 */
export class RateCount implements SharedCount {
  readonly leaseMax: number;
  private readonly windowMs: number;
  private readonly own: SlidingWindow;
  private slice = 0;

  constructor(
    private readonly key: string,
    private readonly limit: { readonly calls: number; readonly perSeconds: number },
    private readonly ask: Leases['rate'],
  ) {
    this.windowMs = limit.perSeconds * 1000;
    this.leaseMax = Math.ceil(limit.calls / LEASE_PART);
    this.own = new SlidingWindow(limit.calls, this.windowMs);
  }

  async lease(wanted: Wanted, unused: number): Promise<RateLease & { readonly goodForMs: number }> {
    const { key, windowMs, slice } = this;
    const { calls } = this.limit;
    const lease = await this.ask({ key, calls, windowMs, unused: { tokens: unused, slice }, ...wanted });
    this.slice = lease.slice;
    return { ...lease, goodForMs: windowMs / RATE_SLICES };
  }

  note(now: number): void {
    this.own.note(now);
  }

  takeAlone(now: number): boolean {
    return this.own.take(now);
  }

  putBackAlone(now: number): void {
    this.own.putBack(now);
  }

  freeAloneInMs(now: number): number {
    return this.own.freeInMs(now);
  }
}
