import { decodeBatch, UnreadableBatch } from '@portcullis/audit';
import type { Logger, Metrics } from '@portcullis/boot';
import type { BatchAuthority } from './batch-authority.js';
import type { BatchStore } from './store-batch.js';
import { StoreTogether } from './store-together.js';
import { withStraysAside } from './stray-events.js';

export interface IntakeParts {
  readonly store: BatchStore;
  readonly authority: BatchAuthority;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** A batch that does not come from the node that it names. */
class ForgedBatch extends Error {
  override readonly name = 'ForgedBatch';
}

/** Stores a batch, whichever way it came. */
export type Intake = (data: unknown, from: string) => Promise<void>;

/** Resolves when the batch's events are in Postgres, or when it went to quarantine because it is no batch of a node. Rejects where it should be tried again. */
export function createIntake({ store, authority, logger, metrics }: IntakeParts): Intake {
  const stored = metrics.counter({ name: 'audit_events_stored_total', help: 'Audit events handed to Postgres, re-deliveries included' });
  const quarantined = metrics.counter({ name: 'audit_quarantined_total', help: 'Jobs and events that could not be stored as they were' });
  const forged = metrics.counter({ name: 'audit_forged_total', help: 'Batches that do not come from the node they name; none is stored' });
  const together = new StoreTogether(store);
  return async (data, from) => {
    try {
      const decoded = withStraysAside(decodeBatch(data), Date.now());
      const objection = await authority.objectionTo(decoded);
      if (objection !== undefined) throw new ForgedBatch(objection);
      await together.store(decoded);
      stored.inc(decoded.events.length);
      quarantined.inc(decoded.unreadable.length);
    } catch (error) {
      if (!(error instanceof UnreadableBatch || error instanceof ForgedBatch)) throw error;
      await store.quarantineJob(data, error.message);
      (error instanceof ForgedBatch ? forged : quarantined).inc();
      // A node whose batch was spoiled on the way still has the events and sends them again.
      logger.error({ from, err: error }, 'What came is no batch of a node and went to quarantine');
    }
  };
}
