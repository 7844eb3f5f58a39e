import type { OnClose } from '@portcullis/boot';
import type { Sealer } from '@portcullis/secrets';
import type { Follower } from '@portcullis/snapshot';
import type { Gateway } from '../gateway.js';
import type { RedisConnections } from '../process/redis-connections.js';
import { Cancels, redisCancelChannel } from './cancels.js';
import { ForwardedCalls } from './forwarded-calls.js';
import { RunningCalls } from './running-calls.js';

interface CancelParts {
  readonly onClose: OnClose;
  readonly redis: Pick<RedisConnections, 'commands' | 'sessions'>;
  readonly ring: { readonly sealer: () => Sealer; readonly isEmpty: boolean };
  readonly policy: Pick<Follower, 'current'>;
}

/** What ends calls in progress: their clients, on whatever node, and policy. */
export function linkCancels({ redis, ring, policy, onClose }: CancelParts): Pick<Gateway, 'runningCalls' | 'forwardedCalls' | 'cancels'> {
  const runningCalls = new RunningCalls();
  const channel = redisCancelChannel(redis.commands, redis.sessions);
  const cancels = new Cancels({ calls: runningCalls, channel, sealer: ring.sealer, now: () => Date.now(), isReady: () => !ring.isEmpty });
  const forwardedCalls = new ForwardedCalls(policy);
  // By now no client waits: those of the older era left their calls running.
  onClose('forwarded calls', () => forwardedCalls.stop());
  return { runningCalls, forwardedCalls, cancels };
}
