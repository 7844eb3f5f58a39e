import { GatewayError } from '@portcullis/contracts/errors';

/** Time and chance, as a test may bend them. */
export interface BreakerClock {
  /** Milliseconds on a monotonic clock. */
  now(): number;
  /** From 0 up to 1. */
  random(): number;
}

const FAILURES_MAX = 5;
const PAUSE_MS_MIN = 1000;
const PAUSE_MS_MAX = 30_000;

/**
 * Spares a server that cannot be reached, and the callers that would wait for it: after `FAILURES_MAX` connections in a row that failed or stayed
 * silent its calls are refused (`upstream.suspended`) for a while, then one is let through to see. What a server answers, errors of its tools
 * included, never counts against it.
 */
export class Breaker {
  private failures = 0;
  private suspensions = 0;
  private retryAt = 0;
  private trying = false;

  constructor(
    private readonly clock: BreakerClock,
    private readonly onSuspended: () => void,
  ) {}

  get isSuspended(): boolean {
    return this.failures >= FAILURES_MAX;
  }

  /** Refuses a call while the server is suspended, all but the one that tries it again. */
  enter(): void {
    if (!this.isSuspended) return;
    if (this.trying || this.clock.now() < this.retryAt) throw new GatewayError('upstream.suspended');
    this.trying = true;
  }

  /** The server said something: it is there. */
  answered(): void {
    this.failures = 0;
    this.suspensions = 0;
    this.trying = false;
  }

  /** A call ended by an error; only some say that the server is not there. */
  failed(error: unknown): void {
    if (!(error instanceof GatewayError)) return;
    if (error.code === 'upstream.protocol' || error.code === 'upstream.too_large') this.answered();
    const isAbsence = error.code === 'upstream.unreachable' || (error.code === 'upstream.timeout' && error.detail['stage'] === 'first_byte');
    if (!isAbsence) return;
    const wasSuspended = this.isSuspended;
    this.failures += 1;
    // Calls that began before the suspension fail late and say nothing new.
    if (this.isSuspended && (!wasSuspended || this.trying)) this.suspend();
  }

  /** A call is over; where it was the one that tries and has found out nothing, the next one may. */
  left(): void {
    this.trying = false;
  }

  private suspend(): void {
    const pauseMs = Math.min(PAUSE_MS_MIN * 2 ** this.suspensions, PAUSE_MS_MAX);
    // Nodes that lost a server together must not come back to it together.
    this.retryAt = this.clock.now() + pauseMs * (0.5 + this.clock.random() / 2);
    this.suspensions += 1;
    this.trying = false;
    this.onSuspended();
  }
}
