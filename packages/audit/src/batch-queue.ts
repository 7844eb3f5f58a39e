import { randomUUID } from 'node:crypto';
import { Job, Queue, type JobJson } from 'bullmq';
import type { Redis } from 'ioredis';
import { AUDIT_QUEUE, type AuditBatch } from '@portcullis/contracts/audit';

export interface QueueState {
  /** Whether Redis is too full for more: a backlog must never keep policy from nodes. */
  readonly pressed: boolean;
  /** How Redis may throw away what it was given, where it may. */
  readonly evictsBy: string | null;
  /** Another than before: what the queue had may be lost. */
  readonly identity: string;
}

/** Where batches go on their way to Postgres. */
export interface BatchQueue {
  /** Resolves when the queue has the batch. May stay open for ever while Redis is frozen: callers keep their own deadline. */
  add(batch: AuditBatch, jobId: string): Promise<void>;
  /** Whether the job still waits or runs. */
  has(jobId: string): Promise<boolean>;
  state(): Promise<QueueState>;
  close(): Promise<void>;
}

/** Share of Redis' memory limit above which nodes spool instead of queueing. */
const PRESSURE_RATIO = 0.6;

/** Lies beside the queue, and is lost with it. */
const MARK = 'portcullis:audit-queue-mark';

const infoOf = (info: string, name: string): string => new RegExp(`^${name}:(\\S*)`, 'm').exec(info)?.[1] ?? '';

/** How a Redis may throw away what it was given, by what it says of its memory (`INFO memory`); null where it never does. */
export function evictionIn(info: string): string | null {
  const policy = infoOf(info, 'maxmemory_policy');
  return policy === '' || policy === 'noeviction' ? null : policy;
}

/** A batch as the bytes of its JSON. Base64 needs no escaping, and is most of it. */
function bytesOf({ frames, ...rest }: AuditBatch): Buffer {
  const head = `${JSON.stringify(rest).slice(0, -1)},"frames":"`;
  const headBytes = Buffer.byteLength(head);
  const bytes = Buffer.allocUnsafeSlow(headBytes + frames.length + 2);
  bytes.write(head);
  bytes.write(frames, headBytes, 'latin1');
  bytes.write('"}', headBytes + frames.length, 'latin1');
  return bytes;
}

const NOTHING = {};

/**
 * Sends its data as bytes. As text a batch is looked through for what to escape, copied, and becomes part of the command's own string, which V8
 * keeps, with whatever was young beside it, until the next full collection: a third more CPU for all collections, and 100 MiB.
 */
class BatchJob extends Job {
  override asJSON(): JobJson {
    const batch = this.data as AuditBatch;
    this.data = NOTHING;
    const json = super.asJSON();
    this.data = batch;
    // What the library only passes on: Redis' client takes texts and bytes alike.
    return { ...json, data: bytesOf(batch) as unknown as string };
  }
}

class BatchJobs extends Queue<AuditBatch> {
  protected override get Job(): typeof Job {
    return BatchJob as typeof Job;
  }
}

/** The BullMQ queue that audit workers read. A failed batch is tried again until it is stored; nothing is given up. */
export function createBatchQueue(connection: Redis): BatchQueue {
  const queue = new BatchJobs(AUDIT_QUEUE, {
    connection,
    defaultJobOptions: {
      attempts: 1_000_000,
      backoff: { type: 'fixed', delay: 1000 },
      removeOnComplete: true,
      removeOnFail: false,
      stackTraceLimit: 1, // the stacks of all attempts are kept otherwise: an hour without Postgres filled Redis with them
    },
  });
  // Connection errors show as rejected or overdue additions; without a listener they would end the process.
  queue.on('error', () => undefined);
  return {
    async add(batch, jobId) {
      await queue.add('batch', batch, { jobId });
    },
    async has(jobId) {
      return (await queue.getJob(jobId)) !== undefined;
    },
    async state() {
      const [memory, server, mark] = await Promise.all([connection.info('memory'), connection.info('server'), connection.get(MARK)]);
      if (mark === null) await connection.set(MARK, randomUUID(), 'NX').catch(() => undefined); // a full Redis takes it later
      const [used, limit] = [Number(infoOf(memory, 'used_memory')), Number(infoOf(memory, 'maxmemory'))];
      return {
        pressed: limit > 0 && used > limit * PRESSURE_RATIO,
        evictsBy: evictionIn(memory),
        identity: `${infoOf(server, 'run_id')} ${mark ?? ''}`,
      };
    },
    close: () => queue.close(),
  };
}
