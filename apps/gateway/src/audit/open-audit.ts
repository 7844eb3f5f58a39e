import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createBatchQueue, openAuditTrail, type AuditTrail } from '@portcullis/audit';
import type { Logger, OnClose } from '@portcullis/boot';
import type { Follower } from '@portcullis/snapshot';
import type { Config } from '../config.js';
import type { ControlPlane } from '../control-plane/open-control-plane.js';
import type { RedisConnections } from '../process/redis-connections.js';

const QUEUE_CLOSE_MS_MAX = 1000;

interface AuditParts {
  readonly redis: Pick<RedisConnections, 'audit'>;
  readonly control: ControlPlane;
  readonly policy: Pick<Follower, 'current'>;
  readonly logger: Logger;
  readonly onClose: OnClose;
}

/** This node's audit trail: spooled on its disk, queued in Redis, or handed to the control plane where the queue does not take it. */
export function openAudit(config: Config, parts: AuditParts): AuditTrail {
  const { redis, control, policy, logger, onClose } = parts;
  const queue = createBatchQueue(redis.audit);
  onClose('audit queue', () => Promise.race([queue.close(), pause(QUEUE_CLOSE_MS_MAX)]));
  const audit = openAuditTrail({
    node: config.nodeName,
    directory: join(config.dataDir, 'audit'),
    queue,
    handOver: (batch) => control.client.handOverAudit(batch),
    signer: () => control.membership.auditSigner,
    release: () => policy.current()?.settings.auditRelease ?? 'queue',
    onTrouble: (what, error) => logger.warn({ err: error, what }, 'Audit events are not taken at once'),
  });
  onClose('audit', () => audit.close());
  return audit;
}
