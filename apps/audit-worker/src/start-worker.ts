import { Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Logger, Metrics } from '@portcullis/boot';
import { AUDIT_QUEUE } from '@portcullis/contracts/audit';
import type { Intake } from './intake.js';

export interface WorkerParts {
  /** A connection of the worker's own: it blocks on it. `maxRetriesPerRequest` must be null. */
  readonly redis: Redis;
  readonly intake: Intake;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly concurrency: number;
}

/** Moves batches from the queue into Postgres. A batch leaves the queue only after its commit. */
export function startWorker({ redis, intake, logger, metrics, concurrency }: WorkerParts): Worker {
  const failures = metrics.counter({ name: 'audit_store_failures_total', help: 'Attempts to store a batch that failed and will be made again' });
  const worker = new Worker(
    AUDIT_QUEUE,
    (job) => intake(job.data, `job ${job.id ?? ''}`),
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
