import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { AuditLink } from '@portcullis/contracts/audit';
import type { BatchQueue } from './batch-queue.js';
import type { AuditSigner } from './proof/audit-signer.js';
import { BootChain } from './proof/boot-chain.js';
import { hashFrame } from './proof/hash-frame.js';
import { Shipper, type Deliver } from './shipper.js';
import { Spool, type SpoolLimits } from './spool.js';

interface EarlierBoot {
  readonly spool: Spool;
  readonly shipper: Shipper;
  readonly chain: BootChain;
  readonly lastSeq: number;
  /** What of the spool has been added to the chain. */
  chainedSeq: number;
}

interface Source {
  readonly node: string;
  readonly directory: string;
  readonly limits: SpoolLimits;
  readonly signer: () => AuditSigner | undefined;
}

const BOOT_NAME = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** Hashed at one report at most, so that a full spool does not hold up calls. */
const CHAINED_BYTES_MAX = 4 * 1024 * 1024;

/** What earlier boots of this node recorded and Postgres is not known to have: sent again, linked to its end, then deleted. */
export class EarlierBoots {
  private readonly boots = new Map<string, EarlierBoot>();

  constructor(
    private readonly source: Source,
    queue: BatchQueue,
  ) {
    const { node, directory, limits, signer } = source;
    for (const boot of readdirSync(directory).filter((name) => BOOT_NAME.test(name))) {
      const spool = Spool.reopen(join(directory, boot), limits);
      if (spool.lastSeq === 0) {
        spool.remove();
        continue;
      }
      const shipper = new Shipper({ node, boot, spool, signer }, queue, () => undefined);
      shipper.offerRange(spool.firstSeq, spool.lastSeq);
      const chain = BootChain.resume({ node, boot, directory: join(directory, boot) });
      this.boots.set(boot, { spool, shipper, chain, lastSeq: spool.lastSeq, chainedSeq: chain.linkedSeq });
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
    const { spool, shipper, chain, lastSeq } = earlier;
    shipper.acknowledge(contiguousSeq);
    const isChained = this.source.signer() === undefined || (chain.isHandedOver && earlier.chainedSeq >= lastSeq);
    if (contiguousSeq < lastSeq || !isChained) return spool.deleteThrough(Math.min(contiguousSeq, chain.linkedSeq));
    spool.remove();
    this.boots.delete(boot);
  }

  links(signer: AuditSigner): AuditLink[] {
    return [...this.boots.values()].flatMap((earlier) => {
      if (earlier.chain.isHandedOver) addFromSpool(earlier);
      const link = earlier.chain.link(signer, true);
      return link ? [link] : [];
    });
  }

  confirm(link: AuditLink): void {
    this.boots.get(link.boot)?.chain.confirm(link);
  }

  /** See `Shipper.doubtQueue`. */
  doubtQueue(): void {
    for (const { shipper } of this.boots.values()) shipper.doubtQueue();
  }

  async resend(): Promise<void> {
    for (const { shipper } of this.boots.values()) await shipper.resend();
  }

  /** See `Shipper.handOver`. */
  async handOver(deliver: Deliver, untilMs: number): Promise<void> {
    for (const { shipper } of this.boots.values()) await shipper.handOver(deliver, untilMs);
  }

  close(): void {
    for (const { shipper } of this.boots.values()) shipper.stop();
  }
}

/** Goes on where the chain ended. Where frames are gone a chain cannot go on: what follows stays without a link, which a verification says. */
function addFromSpool(earlier: EarlierBoot): void {
  let bytes = 0;
  for (const piece of earlier.spool.framesFrom(earlier.chainedSeq + 1, earlier.lastSeq)) {
    for (const { seq, bytes: frame } of piece) {
      if (seq !== earlier.chainedSeq + 1) {
        earlier.chainedSeq = earlier.lastSeq;
        return;
      }
      earlier.chain.add(hashFrame(frame), seq);
      earlier.chainedSeq = seq;
      bytes += frame.length;
    }
    if (bytes > CHAINED_BYTES_MAX) return;
  }
}
