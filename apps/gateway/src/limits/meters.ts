import type { CallLimitTerms } from '@portcullis/contracts/limits';
import { LRUCache } from '../memory/lru-cache.js';
import { LeasedCount, type Meter, type SharedCount } from './leased-count.js';
import type { Leases } from './leases.js';
import { QuotaCount } from './quota-count.js';
import { RateCount } from './rate-count.js';

const METERS_MAX = 10_000;
/** How long nodes go by their own counts before the shared ones are tried again. */
const AWAY_MS = 5000;
/** Of so many limits in a row none could be asked about: then the next would be waited for in vain too. One lost answer concerns one limit. */
const FAILURES_MAX = 3;

/** What is counted over all nodes. */
export type SharedTerms = Exclude<CallLimitTerms, { kind: 'concurrency' }>;

interface Clocks {
  /** Milliseconds that only grow. */
  readonly monotonic: () => number;
  /** Epoch milliseconds. */
  readonly wall: () => number;
}

/** The limits that are counted over all nodes, as this one sees them. Those that are not asked about for long are forgotten first. */
export class Meters {
  private readonly meters = new LRUCache<{ readonly terms: SharedTerms; readonly meter: Meter }>(METERS_MAX);
  private failures = 0;
  private allAwayUntil = -Infinity;

  constructor(
    private readonly leases: Leases,
    private readonly clocks: Clocks,
  ) {}

  /** The meter of a limit by the name under which all nodes count it. */
  of(key: string, terms: SharedTerms): Meter {
    const known = this.meters.get(key);
    if (known !== undefined && isSame(known.terms, terms)) return known.meter;
    const meter = this.meterOf(this.countOf(key, terms));
    this.meters.set(key, { terms, meter });
    return meter;
  }

  private meterOf(count: SharedCount): Meter {
    const clock = this.clocks.monotonic;
    let awayUntil = -Infinity;
    return new LeasedCount({
      count,
      clock,
      isAway: () => clock() < Math.max(awayUntil, this.allAwayUntil),
      noteThere: () => (this.failures = 0),
      noteAway: () => {
        awayUntil = clock() + AWAY_MS;
        this.failures += 1;
        if (this.failures >= FAILURES_MAX) this.allAwayUntil = awayUntil;
      },
    });
  }

  private countOf(key: string, terms: SharedTerms): SharedCount {
    return terms.kind === 'rate' ? new RateCount(key, terms, this.leases.rate) : new QuotaCount(key, terms, this.leases.quota, this.clocks.wall);
  }
}

function isSame(one: SharedTerms, other: SharedTerms): boolean {
  if (one.calls !== other.calls) return false;
  return one.kind === 'rate' ? other.kind === 'rate' && one.perSeconds === other.perSeconds : other.kind === 'quota' && one.per === other.per;
}
