import type { AuditTrail } from '@portcullis/audit';
import type { Metrics } from '@portcullis/boot';
import type { Follower } from '@portcullis/snapshot';

/** What is looked at. */
export interface ObservedParts {
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
  metrics.gauge({
    name: 'upstreams_suspended',
    help: 'Servers that are not asked now because they were not there',
    collect() {
      this.set(upstreams.suspended);
    },
  });
  metrics.gauge({
    name: 'change_streams',
    help: 'Open streams of change messages',
    collect() {
      this.set(streams.size);
    },
  });
  metrics.gauge({
    name: 'load_shedding_level',
    help: 'What is refused because memory runs out: 0 nothing, 1 new connections, 2 lists and streams too, 3 calls too',
    collect() {
      this.set(shedding.level);
    },
  });
  metrics.gauge({
    name: 'watched_servers',
    help: 'Servers that are listened to for changes',
    collect() {
      this.set(watches.size);
    },
  });
  observePolicy(metrics, follower);
  observeTrail(metrics, audit);
}

function observePolicy(metrics: Metrics, follower: ObservedParts['follower']): void {
  metrics.gauge({
    name: 'policy_revision',
    help: 'Revision of the policy that is served',
    collect() {
      this.set(follower.status().revision ?? 0);
    },
  });
  metrics.gauge({
    name: 'policy_age_seconds',
    help: 'Time since the policy was last confirmed',
    collect() {
      this.set(follower.ageMs() / 1000);
    },
  });
  metrics.gauge({
    name: 'policy_applied',
    help: 'Snapshots put into service since the start',
    collect() {
      this.set(follower.status().appliedCount);
    },
  });
  metrics.gauge({
    name: 'policy_applying_seconds',
    help: 'Time spent since the start from a head to its snapshot in service',
    collect() {
      this.set(follower.status().applyingMs / 1000);
    },
  });
  metrics.gauge({
    name: 'policy_fetched_bytes',
    help: 'Contents of snapshots fetched since the start',
    collect() {
      this.set(follower.status().fetchedBytes);
    },
  });
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
  metrics.gauge({
    name: 'audit_backlog_events',
    help: 'Audit events that Postgres is not known to have',
    collect() {
      this.set(audit.backlog);
    },
  });
  metrics.gauge({
    name: 'audit_spool_bytes',
    help: 'Size of the audit spool',
    collect() {
      this.set(audit.spoolBytes);
    },
  });
  metrics.gauge({
    name: 'audit_unspooled_events',
    help: 'Audit events that the spool does not take, and only memory and the queue have',
    collect() {
      this.set(audit.unspooled);
    },
  });
}
