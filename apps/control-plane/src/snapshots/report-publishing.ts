import { Logger } from '@nestjs/common';
import type { Metrics } from '@portcullis/boot';
import type { HoldReason } from './publishing-held.js';
import type { PublisherReport } from './snapshot-publisher.js';

const heldBecause: Readonly<Record<HoldReason, string>> = {
  restored: 'Policy is not published: nodes follow a newer one than this database knows. If it was restored from a backup, begin a new epoch',
  newer_release: 'Policy is not published by this control plane: a newer release has compiled what is published',
};

/** Rounds as metrics, and in the log what an operator should know: each outage once, at its beginning and its end. */
export function reportPublishing(metrics: Metrics): PublisherReport {
  const logger = new Logger('snapshots');
  const revision = metrics.gauge({ name: 'published_revision', help: 'Revision of policy that was published last' });
  const seconds = metrics.histogram({
    name: 'publish_seconds',
    help: 'Time to compile, commit and distribute a snapshot',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30],
  });
  const parts = metrics.histogram({
    name: 'publish_part_seconds',
    help: 'Where the time of publishing a change went: waiting for the round to begin, the lock, compile and commit, the way to Redis',
    labelNames: ['part'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30],
  });
  const failures = metrics.counter({ name: 'publish_failures_total', help: 'Rounds of publishing that failed', labelNames: ['stage'] });
  const holding = metrics.gauge({ name: 'publishing_held', help: '1 while policy is held back for a reason', labelNames: ['reason'] });
  let failing: string | undefined;
  return {
    held(reason) {
      holding.labels({ reason }).set(1);
      if (failing !== reason) logger.error({ msg: heldBecause[reason] });
      failing = reason;
    },
    published(snapshot, took) {
      revision.set(snapshot.revision);
      holding.reset();
      if (failing !== undefined) logger.log({ msg: 'Policy is published again', revision: snapshot.revision });
      failing = undefined;
      if (snapshot.contentCount === 0) return;
      const durationMs = took.lock + took.commit + took.distribute;
      seconds.observe(durationMs / 1000);
      for (const [part, ms] of Object.entries(took)) parts.observe({ part }, ms / 1000);
      logger.log({ msg: 'Policy published', revision: snapshot.revision, contents: snapshot.contentCount, durationMs: Math.round(durationMs) });
      if (snapshot.silenced.length > 0) logger.error({ msg: 'Servers too large to distribute offer nothing', servers: snapshot.silenced });
    },
    failed(stage, error) {
      failures.inc({ stage });
      if (failing !== stage)
        logger.error({ msg: `Policy cannot be published: ${stage} fails`, error: error instanceof Error ? error.message : String(error) });
      failing = stage;
    },
  };
}
