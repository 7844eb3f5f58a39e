import { join } from 'node:path';
import type { Logger } from '@portcullis/boot';
import { followSnapshots, type Follower, type PolicySnapshot } from '@portcullis/snapshot';
import type { Config } from '../config.js';
import type { ControlPlane } from '../control-plane/open-control-plane.js';
import type { RedisConnections } from '../process/redis-connections.js';

/** What the policy's follower tells parts that are built after it. */
export interface PolicyNews {
  onApplied: (snapshot: PolicySnapshot) => void;
  onChange: () => void;
}

interface FollowParts {
  readonly redis: Pick<RedisConnections, 'policy' | 'policyCommands'>;
  readonly control: ControlPlane;
  readonly logger: Logger;
  readonly news: PolicyNews;
}

/** Follows policy from now on, beginning with the last good copy on disk. Says nothing of what it refused while the node knows no key. */
export function followPolicy(config: Config, parts: FollowParts): Follower {
  const { redis, control, logger, news } = parts;
  const { client, membership, ring } = control;
  return followSnapshots({
    redis: redis.policyCommands,
    subscriber: redis.policy,
    controlPlane: { fetchHead: (signal) => client.fetchHead(signal), fetchChunk: (digest, signal) => client.fetchChunk(digest, signal) },
    verify: ring.verify,
    directory: join(config.dataDir, 'policy'),
    clock: { now: () => Date.now(), monotonic: () => performance.now() },
    onApplied: (snapshot) => {
      logger.debug({ epoch: snapshot.epoch, revision: snapshot.revision }, 'Policy applied');
      news.onApplied(snapshot);
      news.onChange();
    },
    onRefused: (reason, revision) => {
      // Before it has enrolled a node has no key and refuses everything; that is no news.
      if (reason === 'key_unknown') membership.refreshSoon(client);
      if (!ring.isEmpty) logger.warn({ reason, revision }, 'Policy refused');
      news.onChange();
    },
  });
}
