import { GatewayError } from '@portcullis/contracts/errors';
import type { ServerEntry } from '@portcullis/contracts/snapshot';
import type { OversizedAnswers } from './answers/oversized-answers.js';
import type { Breaker } from './breaker.js';
import type { ClosablePool, UpstreamWay } from './upstream-way.js';

/** The network side of one server: where it is, its connections, and how many calls it has in progress here. */
export class Upstream implements UpstreamWay {
  readonly signedInAs = undefined;
  inFlight = 0;
  /** Calls that took a place. */
  calls = 0;
  private readonly perAgent = new Map<string, number>();
  readonly pool: ClosablePool;
  readonly breaker: Breaker;
  private ownStreams: ClosablePool | undefined;

  constructor(
    readonly address: Pick<ServerEntry, 'url' | 'transport' | 'tls' | 'place'>,
    readonly path: string,
    private readonly ways: { readonly pool: ClosablePool; readonly openStreams: () => ClosablePool },
    private readonly guards: { readonly breaker: Breaker; readonly oversized: OversizedAnswers },
  ) {
    this.pool = ways.pool;
    this.breaker = guards.breaker;
  }

  /** Connections for streams that stay open, so that they take none from calls. */
  get streams(): ClosablePool {
    return (this.ownStreams ??= this.ways.openStreams());
  }

  /** Calls run out; streams, which never would, are cut. */
  async close(): Promise<void> {
    await Promise.allSettled([this.pool.close(), this.ownStreams?.destroy()]);
  }

  /**
   * Takes one of the server's places for a call of this agent; refuses (`upstream.busy`) when all are taken, since waiting calls would hold up
   * everybody's, and while the server is suspended (`upstream.suspended`). An agent gets no more places than it leaves free: whatever others hold,
   * there is one for whoever comes next. One whose answers were too long lately is refused as if the server were suspended.
   */
  enter(concurrency: number, agentId: string): void {
    const own = this.perAgent.get(agentId) ?? 0;
    if (own >= concurrency - this.inFlight) throw new GatewayError('upstream.busy', { concurrency, own });
    this.guards.oversized.requireFew(agentId);
    this.breaker.enter();
    this.inFlight += 1;
    this.perAgent.set(agentId, own + 1);
    this.calls += 1;
  }

  leave(agentId: string): void {
    const own = (this.perAgent.get(agentId) ?? 1) - 1;
    if (own > 0) this.perAgent.set(agentId, own);
    else this.perAgent.delete(agentId);
    this.inFlight -= 1;
    this.breaker.left();
  }

  /** Lets the breaker know how a call of this agent at the server ends. */
  async watch<Answer>(call: Promise<Answer>, agentId: string): Promise<Answer> {
    try {
      const answer = await call;
      this.breaker.answered();
      return answer;
    } catch (error) {
      this.breaker.failed(error, agentId);
      if (error instanceof GatewayError && error.code === 'upstream.too_large')
        this.guards.oversized.add(agentId, Number(error.detail['bytes'] ?? 0));
      throw error;
    }
  }
}
