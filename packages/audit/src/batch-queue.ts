import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { AUDIT_QUEUE, type AuditBatch } from '@portcullis/contracts/audit';

/** Where batches go on their way to Postgres. */
export interface BatchQueue {
  /** Resolves when the queue has the batch. May stay open for ever while Redis is frozen: callers keep their own deadline. */
  add(batch: AuditBatch, jobId: string): Promise<void>;
  /** Whether the job still waits or runs. */
  has(jobId: string): Promise<boolean>;
  /** Whether Redis is too full for more: a backlog must never keep policy from nodes. */
  pressed(): Promise<boolean>;
  close(): Promise<void>;
}

/** Share of Redis' memory limit above which nodes spool instead of queueing. */
const PRESSURE_RATIO = 0.6;

const LARGE_CHARS = 4096;

/**
 * Sends large texts as bytes. As a string a batch becomes part of the command's own string, which V8 then keeps, with whatever was young beside it,
 * until the next full collection: a third more CPU for all collections, and 100 MiB.
 */
function sendLargeTextsAsBytes(connection: Redis): void {
  const send = connection.sendCommand.bind(connection);
  connection.sendCommand = (command, stream) => {
    const { args } = command;
    // Only where bytes are among the arguments does the command get written piece by piece.
    if (args.some((argument) => Buffer.isBuffer(argument))) {
      for (const [place, argument] of args.entries()) {
        if (typeof argument === 'string' && argument.length > LARGE_CHARS) args[place] = Buffer.from(argument);
      }
    }
    return send(command, stream);
  };
}

/** The BullMQ queue that audit workers read. A failed batch is tried again until it is stored; nothing is given up. */
export function createBatchQueue(connection: Redis): BatchQueue {
  sendLargeTextsAsBytes(connection);
  const queue = new Queue<AuditBatch>(AUDIT_QUEUE, {
    connection,
    defaultJobOptions: { attempts: 1_000_000, backoff: { type: 'fixed', delay: 1000 }, removeOnComplete: true, removeOnFail: false },
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
    async pressed() {
      const info = await connection.info('memory');
      const [used, limit] = ['used_memory', 'maxmemory'].map((name) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0));
      return limit !== undefined && used !== undefined && limit > 0 && used > limit * PRESSURE_RATIO;
    },
    close: () => queue.close(),
  };
}
