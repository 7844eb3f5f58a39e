import type { Metrics } from '@portcullis/boot';
import type { ErrorCode } from '@portcullis/contracts/errors';

/** How one request ended, in words fit for a label. */
export type CallOutcome = 'success' | 'tool_error' | 'denied' | 'refused' | 'upstream_error' | 'timeout' | 'cancelled' | 'error';

const METHODS: ReadonlySet<string> = new Set([
  'initialize',
  'ping',
  'server/discover',
  'tools/list',
  'tools/call',
  'prompts/list',
  'prompts/get',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'resources/subscribe',
  'resources/unsubscribe',
  'subscriptions/listen',
  'stream/open',
  'completion/complete',
  'logging/setLevel',
]);

interface Child {
  inc(): void;
}

/** What the path of a call counts. Methods we do not know share one label, so foreign text never makes a series. */
export class CallMetrics {
  private readonly children = new Map<string, Map<CallOutcome, Child>>();
  private readonly calls;
  private readonly duration;
  private readonly upstreamDuration;
  private readonly failures;
  private readonly edgeRefusals;
  private readonly suspensions;
  private readonly foreignSessions;
  private readonly inFlightGauge;
  inFlight = 0;

  constructor(metrics: Metrics) {
    const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
    this.calls = metrics.counter({ name: 'calls_total', help: 'Requests of agents, by method and outcome', labelNames: ['method', 'outcome'] });
    // Without labels a child of the histogram is bound once; else each observation binds one of its own.
    this.duration = metrics
      .histogram({ name: 'call_duration_seconds', help: 'From the first byte of a forwarded call to its last', buckets })
      .labels();
    this.upstreamDuration = metrics.histogram({ name: 'upstream_duration_seconds', help: 'The part of it spent at the server', buckets }).labels();
    this.failures = metrics.counter({
      name: 'failed_authentication_total',
      help: 'Requests without a usable key, by reason',
      labelNames: ['reason'],
    });
    this.edgeRefusals = metrics.counter({
      name: 'edge_refusals_total',
      help: 'Requests and connections refused before authentication, by error code',
      labelNames: ['code'],
    });
    this.suspensions = metrics.counter({
      name: 'upstream_suspensions_total',
      help: 'Times a server was not asked any more because it was not there',
    });
    this.foreignSessions = metrics.counter({
      name: 'foreign_sessions_total',
      help: 'Requests that named a session of another agent: its id got into wrong hands',
    });
    const collect = (): void => this.inFlightGauge.set(this.inFlight);
    this.inFlightGauge = metrics.gauge({ name: 'calls_in_flight', help: 'Calls at a server now', collect });
  }

  ended(method: string, outcome: CallOutcome): void {
    const known = METHODS.has(method) ? method : 'other';
    let children = this.children.get(known);
    if (children === undefined) {
      children = new Map();
      this.children.set(known, children);
    }
    let child = children.get(outcome);
    if (child === undefined) {
      child = this.calls.labels({ method: known, outcome });
      children.set(outcome, child);
    }
    child.inc();
  }

  forwarded(durationUs: number, upstreamUs: number): void {
    this.duration.observe(durationUs / 1_000_000);
    this.upstreamDuration.observe(upstreamUs / 1_000_000);
  }

  suspended(): void {
    this.suspensions.inc();
  }

  foreignSession(): void {
    this.foreignSessions.inc();
  }

  failedAuthentication(reason: string): void {
    this.failures.labels({ reason }).inc();
  }

  /** What was refused before anybody knew whose it was is counted, not recorded. */
  refusedAtEdge(code: ErrorCode): void {
    this.edgeRefusals.labels({ code }).inc();
  }
}
