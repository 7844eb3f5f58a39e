import type { CallLimitTerms } from '@portcullis/contracts/limits';
import { LRUCache } from '../lru-cache.js';
import { LeasedCount, type Meter, type SharedCount } from './leased-count.js';
import type { Leases } from './leases.js';
import { QuotaCount } from './quota-count.js';
import { RateCount } from './rate-count.js';

const METERS_MAX = 10_000;
/** How long nodes go by their own counts before the shared one is tried again. */
const AWAY_MS = 5000;

/** What is counted over all nodes. */
export type SharedTerms = Exclude<CallLimitTerms, { kind: 'concurrency' }>;

export interface Clocks {
  /** Milliseconds that only grow. */
  readonly monotonic: () => number;
  /** Epoch milliseconds. */
  readonly wall: () => number;
}

/** The limits that are counted over all nodes, as this one sees them. Those that are not asked about for long are forgotten first. */
export class Meters {
  private readonly meters = new LRUCache<{ readonly terms: SharedTerms; readonly meter: Meter }>(METERS_MAX);
  private awayUntil = -Infinity;

  constructor(
    private readonly leases: Leases,
    private readonly clocks: Clocks,
  ) {}

  /** The meter of a limit by the name under which all nodes count it. */
  of(key: string, terms: SharedTerms): Meter {
    const known = this.meters.get(key);
    if (known !== undefined && isSame(known.terms, terms)) return known.meter;
    const clock = this.clocks.monotonic;
    const meter = new LeasedCount({
      count: this.countOf(key, terms),
      clock,
      isAway: () => clock() < this.awayUntil,
      noteAway: () => (this.awayUntil = clock() + AWAY_MS),
    });
    this.meters.set(key, { terms, meter });
    return meter;
  }

  private countOf(key: string, terms: SharedTerms): SharedCount {
    return terms.kind === 'rate' ? new RateCount(key, terms, this.leases.rate) : new QuotaCount(key, terms, this.leases.quota, this.clocks.wall);
  }
}

function isSame(one: SharedTerms, other: SharedTerms): boolean {
  if (one.calls !== other.calls) return false;
  return one.kind === 'rate' ? other.kind === 'rate' && one.perSeconds === other.perSeconds : other.kind === 'quota' && one.per === other.per;
}
