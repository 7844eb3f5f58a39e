import { Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { decodeBatch, UnreadableBatch } from '@portcullis/audit';
import type { Logger, Metrics } from '@portcullis/boot';
import { AUDIT_QUEUE } from '@portcullis/contracts/audit';
import type { BatchAuthority } from './batch-authority.js';
import type { BatchStore } from './store-batch.js';
import { StoreTogether } from './store-together.js';

export interface WorkerParts {
  /** A connection of the worker's own: it blocks on it. `maxRetriesPerRequest` must be null. */
  readonly redis: Redis;
  readonly store: BatchStore;
  readonly authority: BatchAuthority;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly concurrency: number;
}

/** A batch that does not come from the node that it names. */
class ForgedBatch extends Error {
  override readonly name = 'ForgedBatch';
}

/** Moves batches from the queue into Postgres. A batch leaves the queue only after its commit. */
export function startWorker({ redis, store, authority, logger, metrics, concurrency }: WorkerParts): Worker {
  const stored = metrics.counter({ name: 'audit_events_stored_total', help: 'Audit events handed to Postgres, re-deliveries included' });
  const failures = metrics.counter({ name: 'audit_store_failures_total', help: 'Attempts to store a batch that failed and will be made again' });
  const quarantined = metrics.counter({ name: 'audit_quarantined_total', help: 'Jobs and events that could not be stored as they were' });

  const forged = metrics.counter({ name: 'audit_forged_total', help: 'Batches that do not come from the node they name; none is stored' });

  const together = new StoreTogether(store);
  const worker = new Worker(
    AUDIT_QUEUE,
    async (job) => {
      try {
        const decoded = decodeBatch(job.data);
        const objection = await authority.objectionTo(decoded);
        if (objection !== undefined) throw new ForgedBatch(objection);
        await together.store(decoded);
        stored.inc(decoded.events.length);
        quarantined.inc(decoded.unreadable.length);
      } catch (error) {
        if (!(error instanceof UnreadableBatch || error instanceof ForgedBatch)) throw error;
        await store.quarantineJob(job.data, error.message);
        (error instanceof ForgedBatch ? forged : quarantined).inc();
        // A node whose batch was spoiled on the way still has the events and sends them again.
        logger.error({ jobId: job.id, err: error }, 'A job of the audit queue is no batch of a node and went to quarantine');
      }
    },
    // A stalled job is one whose worker died: it is taken up again, never given up. A living worker renews its locks, so a short one only means
    // that a dead worker's batches wait less; a batch that is stored twice is in Postgres once.
    { connection: redis, concurrency, lockDuration: 10_000, stalledInterval: 5000, maxStalledCount: 1_000_000 },
  );
  worker.on('failed', (job, error) => {
    failures.inc();
    logger.warn({ jobId: job?.id, err: error }, 'A batch could not be stored yet');
  });
  worker.on('error', (error) => logger.warn({ err: error }, 'The audit queue is not to be had'));
  return worker;
}
