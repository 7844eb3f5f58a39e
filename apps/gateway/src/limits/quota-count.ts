import type { QuotaPeriod } from '@portcullis/contracts/limits';
import { periodAt, type Period } from '@portcullis/policy';
import type { SharedCount } from './leased-count.js';
import type { Lease, Leases, Wanted } from './leases.js';

/** No node holds more of a quota than this part of it, nor more than so many calls. */
const LEASE_PART = 20;
const LEASE_MAX = 64;

/**
 * So many calls in a calendar day or month, in UTC by this node's clock. Without the shared count a node lets through what that had left when it was last
 * asked, and has it added when it is there again.
 */
export class QuotaCount implements SharedCount {
  readonly leaseMax: number;
  private period: Period | undefined;
  /** The earliest moment at which this node was in that period. */
  private enteredAt = 0;
  /** Used by all nodes when the count was last asked. */
  private seen = 0;
  /** Let through here without it. */
  private owed = 0;

  constructor(
    private readonly key: string,
    private readonly quota: { readonly calls: number; readonly per: QuotaPeriod },
    private readonly ask: Leases['quota'],
    /** Epoch milliseconds. */
    private readonly now: () => number,
  ) {
    this.leaseMax = Math.min(LEASE_MAX, Math.ceil(quota.calls / LEASE_PART));
  }

  async lease(wanted: Wanted): Promise<Lease & { readonly goodForMs: number }> {
    const { name, endsAt } = this.enter();
    const { key, seen, owed } = this;
    const { tokens, used } = await this.ask({ key, calls: this.quota.calls, period: name, endsAt, seen, owed, ...wanted });
    const leftMs = Math.max(0, endsAt - this.now());
    if (this.period?.name === name) {
      this.seen = used;
      this.owed -= owed;
    }
    return { tokens, freeInMs: leftMs, goodForMs: leftMs };
  }

  note(): void {
    // Counted when it was leased.
  }

  takeAlone(): boolean {
    this.enter();
    if (this.seen + this.owed >= this.quota.calls) return false;
    this.owed += 1;
    return true;
  }

  putBackAlone(): void {
    this.enter();
    if (this.owed > 0) this.owed -= 1;
  }

  freeAloneInMs(): number {
    return Math.max(1, this.enter().endsAt - this.now());
  }

  private enter(): Period {
    const now = this.now();
    if (this.period !== undefined && now >= this.enteredAt && now < this.period.endsAt) return this.period;
    this.enteredAt = now;
    const period = periodAt(this.quota.per, now);
    // A clock that was set back within its period leaves what is known of it.
    if (this.period?.name === period.name) return this.period;
    this.period = period;
    this.seen = 0;
    this.owed = 0;
    return period;
  }
}
