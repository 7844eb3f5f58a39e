import { GatewayError } from '@portcullis/contracts/errors';

/** Time and chance, as a test may bend them. */
export interface BreakerClock {
  /** Milliseconds on a monotonic clock. */
  now(): number;
  /** From 0 up to 1. */
  random(): number;
}

const FAILURES_MAX = 5;
/** How long one call may try alone; a tool that hangs must not keep the others away. */
const TRY_MS_MAX = 5000;
const PAUSE_MS_MIN = 1000;
const PAUSE_MS_MAX = 30_000;

/**
 * Spares a server that is not there, and the callers that would wait for it: after `FAILURES_MAX` failures in a row its calls are refused
 * (`upstream.suspended`) for a while, then one is let through to see. What a single tool may have brought about, by silence, a broken connection or a
 * broken answer, counts once for each agent, so that nobody can take a server away from the others. Any answer begins the count anew.
 */
export class Breaker {
  private failures = 0;
  private readonly failedAgents = new Set<string>();
  private suspensions = 0;
  private retryAt = 0;
  private trying = false;
  private triesUntil = 0;

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
    const now = this.clock.now();
    if (now < (this.trying ? this.triesUntil : this.retryAt)) throw new GatewayError('upstream.suspended');
    this.trying = true;
    this.triesUntil = now + TRY_MS_MAX;
  }

  /** The server said something: it is there. */
  answered(): void {
    this.failures = 0;
    if (this.failedAgents.size > 0) this.failedAgents.clear();
    this.suspensions = 0;
    this.trying = false;
  }

  /** A call of this agent ended by an error; only some say that the server is not there. */
  failed(error: unknown, agentId: string): void {
    if (!(error instanceof GatewayError)) return;
    if (error.code === 'upstream.too_large') this.answered();
    const meaning = meaningOf(error);
    if (meaning === 'nothing') return;
    const wasSuspended = this.isSuspended;
    if (meaning === 'broken') {
      if (wasSuspended) {
        if (this.trying && error.code === 'upstream.protocol') this.answered(); // badly, but it is there
        return;
      }
      if (this.failedAgents.has(agentId)) return;
      this.failedAgents.add(agentId);
    }
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

const NO_SERVER_BEHIND: ReadonlySet<unknown> = new Set([502, 503, 504]);

function meaningOf({ code, detail }: GatewayError): 'absent' | 'broken' | 'nothing' {
  if (code === 'upstream.unreachable') return 'absent';
  if (code === 'upstream.cut') return 'broken';
  if (code === 'upstream.timeout') return detail['stage'] === 'first_byte' ? 'broken' : 'nothing';
  if (code === 'upstream.protocol') return NO_SERVER_BEHIND.has(detail['status']) ? 'absent' : 'broken';
  return 'nothing';
}
