import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BatchQueue } from './batch-queue.js';
import { Shipper } from './shipper.js';
import { Spool, type SpoolLimits } from './spool.js';

interface EarlierBoot {
  readonly spool: Spool;
  readonly shipper: Shipper;
  readonly lastSeq: number;
}

const BOOT_NAME = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** What earlier boots of this node recorded and Postgres is not known to have: sent again, then deleted. */
export class EarlierBoots {
  private readonly boots = new Map<string, EarlierBoot>();

  constructor(node: string, directory: string, limits: SpoolLimits, queue: BatchQueue) {
    for (const boot of readdirSync(directory).filter((name) => BOOT_NAME.test(name))) {
      const spool = Spool.reopen(join(directory, boot), limits);
      if (spool.lastSeq === 0) {
        spool.remove();
        continue;
      }
      const shipper = new Shipper({ node, boot, spool }, queue, () => undefined);
      shipper.offerRange(spool.firstSeq, spool.lastSeq);
      this.boots.set(boot, { spool, shipper, lastSeq: spool.lastSeq });
    }
  }

  get unacknowledged(): number {
    return [...this.boots.values()].reduce((sum, { shipper }) => sum + shipper.unacknowledged, 0);
  }

  held(): { boot: string; lastSeq: number }[] {
    return [...this.boots].map(([boot, { lastSeq }]) => ({ boot, lastSeq }));
  }

  acknowledge(boot: string, contiguousSeq: number): void {
    const earlier = this.boots.get(boot);
    if (!earlier) return;
    earlier.shipper.acknowledge(contiguousSeq);
    if (contiguousSeq < earlier.lastSeq) return earlier.spool.deleteThrough(contiguousSeq);
    earlier.spool.remove();
    this.boots.delete(boot);
  }

  async resend(): Promise<void> {
    for (const { shipper } of this.boots.values()) await shipper.resend();
  }

  close(): void {
    for (const { shipper } of this.boots.values()) shipper.stop();
  }
}
