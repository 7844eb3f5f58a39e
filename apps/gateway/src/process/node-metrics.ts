import type { AuditTrail } from '@portcullis/audit';
import type { Metrics } from '@portcullis/boot';
import type { Follower } from '@portcullis/snapshot';

/** What is looked at. */
interface ObservedParts {
  readonly follower: Follower;
  readonly audit: Pick<AuditTrail, 'backlog' | 'spoolBytes' | 'unspooled'>;
  readonly upstreams: { readonly suspended: number };
  readonly streams: { readonly size: number };
  readonly watches: { readonly size: number };
  readonly shedding: { readonly level: number };
}

/**
 * Shows what a node's operator watches: which policy it serves and how old that is, the audit events not yet in Postgres, and who waits for
 * changes.
 */
export function observeNode(metrics: Metrics, { follower, audit, upstreams, streams, watches, shedding }: ObservedParts): void {
  show(metrics, 'upstreams_suspended', 'Servers that are not asked now because they were not there', () => upstreams.suspended);
  show(metrics, 'change_streams', 'Open streams of change messages', () => streams.size);
  show(
    metrics,
    'load_shedding_level',
    'What is refused because memory runs out: 0 nothing, 1 new connections, 2 lists and streams too, 3 calls too',
    () => shedding.level,
  );
  show(metrics, 'watched_servers', 'Servers that are listened to for changes', () => watches.size);
  observePolicy(metrics, follower);
  observeTrail(metrics, audit);
}

/** Shows who waits to be let in. */
export function observeListener(metrics: Metrics, listener: { readonly waiting: number }): void {
  show(metrics, 'connections_waiting', 'Connections of a crowd that wait for their turn to begin', () => listener.waiting);
}

function observePolicy(metrics: Metrics, follower: ObservedParts['follower']): void {
  show(metrics, 'policy_revision', 'Revision of the policy that is served', () => follower.status().revision ?? 0);
  show(metrics, 'policy_age_seconds', 'Time since the policy was last confirmed', () => follower.ageMs() / 1000);
  show(metrics, 'policy_applied', 'Snapshots put into service since the start', () => follower.status().appliedCount);
  show(
    metrics,
    'policy_applying_seconds',
    'Time spent since the start from a head to its snapshot in service',
    () => follower.status().applyingMs / 1000,
  );
  show(metrics, 'policy_fetched_bytes', 'Contents of snapshots fetched since the start', () => follower.status().fetchedBytes);
  metrics.gauge({
    name: 'policy_refused',
    help: 'Heads and snapshots refused since the start, by reason',
    labelNames: ['reason'],
    collect() {
      for (const [reason, times] of Object.entries(follower.status().refusedCounts)) this.labels({ reason }).set(times);
    },
  });
}

function observeTrail(metrics: Metrics, audit: ObservedParts['audit']): void {
  show(metrics, 'audit_backlog_events', 'Audit events that Postgres is not known to have', () => audit.backlog);
  show(metrics, 'audit_spool_bytes', 'Size of the audit spool', () => audit.spoolBytes);
  show(metrics, 'audit_unspooled_events', 'Audit events that the spool does not take, and only memory and the queue have', () => audit.unspooled);
}

/** A gauge that is read when somebody looks. */
function show(metrics: Metrics, name: string, help: string, read: () => number): void {
  metrics.gauge({
    name,
    help,
    collect() {
      this.set(read());
    },
  });
}
