import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { AuditRelease } from '@portcullis/contracts/snapshot';
import { AuditTrail, type TrailParts } from './audit-trail.js';
import type { BatchQueue } from './batch-queue.js';
import { EarlierBoots } from './earlier-boots.js';
import { newEventId } from './new-event-id.js';
import type { AuditSigner } from './proof/audit-signer.js';
import { BootChain } from './proof/boot-chain.js';
import { Spool, type SpoolLimits } from './spool.js';
import { lockSpool } from './spool-lock.js';

export interface AuditTrailOptions {
  /** The node's name, as the trail will show it. */
  readonly node: string;
  /** A folder that outlives the process and belongs to this node alone. */
  readonly directory: string;
  readonly queue: BatchQueue;
  /** Brings a batch to the control plane, while the queue takes none. Rejects where it is not taken. */
  readonly handOver: TrailParts['handOver'];
  /** Asked at every outcome, so that a change of the setting needs no restart. */
  readonly release: () => AuditRelease;
  /** Told when the spool or the queue takes nothing; service goes on as long as one of them does. */
  readonly onTrouble: TrailParts['onTrouble'];
  readonly limits?: SpoolLimits;
  /** The node's own key; undefined until it has registered one. */
  readonly signer?: () => AuditSigner | undefined;
}

const DEFAULT_LIMITS: SpoolLimits = { segmentBytes: 16 * 1024 * 1024, quotaBytes: 1024 * 1024 * 1024 };

/** Opens the record of this boot and starts sending what earlier boots left. Throws `SpoolInUse`. */
export function openAuditTrail(options: AuditTrailOptions): AuditTrail {
  const { node, directory, queue, handOver, release, onTrouble, limits = DEFAULT_LIMITS, signer = () => undefined } = options;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const unlock = lockSpool(directory);
  const earlierBoots = new EarlierBoots({ node, directory, limits, signer }, queue);
  const boot = newEventId();
  const spool = Spool.create(join(directory, boot), limits);
  const chain = BootChain.begin({ node, boot, directory: join(directory, boot) });
  return new AuditTrail({ node, boot, spool, queue, handOver, earlierBoots, chain, signer, release, onTrouble, unlock });
}
