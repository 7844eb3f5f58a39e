import { GatewayError } from '@portcullis/contracts/errors';

/** One report: how often a source failed for one reason, within a minute. */
interface FailureReport {
  readonly source: string;
  readonly keyId: string | null;
  readonly reason: string;
  readonly times: number;
}

const MINUTE_MS = 60_000;
const PLACES_MAX = 10_000;
/** Failures of one source within a minute, from which on it is told to come back later. A key that is right is served all the same. */
const PER_SOURCE_MAX = 1000;

/**
 * Counts failed authentication per key id, source and reason, and reports each at most once a minute: a flood of wrong keys must not become a
 * flood of lines.
 */
export class FailedAuthentication {
  private readonly counts = new Map<string, FailureReport & { times: number }>();
  private readonly sources = new Map<string, number>();
  private reportedAt = 0;

  constructor(
    private readonly report: (failure: FailureReport) => void,
    private readonly count: (reason: string) => void,
  ) {}

  /**
   * Notes one failure; the first of its kind in a minute is reported at once, the rest with their number when the minute is over. Gives the error to
   * answer with: the same, or `limit.rate` for a source that keeps failing.
   */
  note(error: unknown, source: string, now: number): unknown {
    const detail = error instanceof GatewayError ? error.detail : {};
    const reason = typeof detail['reason'] === 'string' ? detail['reason'] : 'error';
    const failure = { source, keyId: typeof detail['keyId'] === 'string' ? detail['keyId'] : null, reason };
    this.count(reason);
    if (this.isOver(now)) this.flush(now);
    const key = `${source} ${failure.keyId ?? ''} ${reason}`;
    const known = this.counts.get(key);
    if (known !== undefined) known.times += 1;
    else if (this.counts.size < PLACES_MAX) {
      this.counts.set(key, { ...failure, times: 0 });
      this.report({ ...failure, times: 1 });
    }
    return this.isFlooding(source) ? new GatewayError('limit.rate', { failedAuthentication: true }) : error;
  }

  /** Whether this source fails so often, in this minute, that nothing more is looked up for it. */
  isFlooded(source: string, now: number): boolean {
    return !this.isOver(now) && (this.sources.get(source) ?? 0) > PER_SOURCE_MAX;
  }

  /** Whether the minute is over; also where the clock was set back. */
  private isOver(now: number): boolean {
    return Math.abs(now - this.reportedAt) >= MINUTE_MS;
  }

  private isFlooding(source: string): boolean {
    const times = (this.sources.get(source) ?? 0) + 1;
    if (times > 1 || this.sources.size < PLACES_MAX) this.sources.set(source, times);
    return times > PER_SOURCE_MAX;
  }

  /** Reports what is still unreported and starts a new minute. */
  flush(now: number): void {
    this.reportedAt = now;
    for (const failure of this.counts.values()) if (failure.times > 0) this.report(failure);
    this.counts.clear();
    this.sources.clear();
  }
}
