import type { RedisConnections } from '../redis-connections.js';
import { ChangeStreams, type ChangeStreamParts } from './change-streams.js';
import { RedisSessionSubscriptions } from './redis-session-subscriptions.js';

export interface OpenParts extends Pick<ChangeStreamParts, 'serverInfo' | 'policy' | 'views' | 'isEnded'> {
  readonly redis: RedisConnections;
}

/** A node's streams of change messages, ready for agents to open. */
export function openChangeStreams({ redis, ...parts }: OpenParts): ChangeStreams {
  return new ChangeStreams({
    ...parts,
    subscriptions: new RedisSessionSubscriptions(redis.commands, redis.sessions),
    interest: { wantServer: () => undefined, wantResource: () => undefined },
    now: () => Date.now(),
  });
}
