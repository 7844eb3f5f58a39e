import type { OnClose } from '@portcullis/boot';
import type { ServerChangeReporter } from '../control-plane/server-change-reporter.js';
import type { RedisConnections } from '../process/redis-connections.js';
import { ChangeStreams, type ChangeStreamParts } from '../streams/change-streams.js';
import { RedisSessionSubscriptions } from '../streams/redis-session-subscriptions.js';
import type { Upstreams } from '../upstream/upstreams.js';
import { LOOK_MS, ServersInUse } from './servers-in-use.js';
import { UpstreamWatches } from './upstream-watches.js';

interface OpenParts extends Pick<ChangeStreamParts, 'serverInfo' | 'policy' | 'views' | 'isEnded'> {
  readonly redis: RedisConnections;
  readonly upstreams: Upstreams;
  readonly serverChanges: ServerChangeReporter;
  readonly onClose: OnClose;
}

interface OpenedStreams {
  readonly streams: ChangeStreams;
  readonly watches: UpstreamWatches;
}

/** A node's streams of change messages, ready for agents to open, and the watches over servers that feed them. */
export function openChangeStreams({ redis, upstreams, serverChanges, onClose, ...parts }: OpenParts): OpenedStreams {
  const watches = new UpstreamWatches({
    clientInfo: parts.serverInfo,
    policy: parts.policy,
    openApart: (server) => upstreams.openApart(server),
    // Agents are shown what was approved: what they see differs when policy does, and to say so before would tell of what they may not see.
    onLists: (serverId) => serverChanges.report(serverId),
    onUpdated: (serverId, uri) => streams.resourceUpdated(serverId, uri),
    onReopened: (serverId) => serverChanges.report(serverId),
  });
  const inUse = new ServersInUse({
    usage: () => upstreams.usage(),
    want: (serverId, isWanted) => watches.wantServer(serverId, isWanted),
    now: () => performance.now(),
  });
  const looking = setInterval(() => inUse.look(), LOOK_MS).unref();
  onClose('servers in use', () => clearInterval(looking));
  const subscriptions = new RedisSessionSubscriptions(redis.commands, redis.sessions);
  const streams = new ChangeStreams({ ...parts, subscriptions, interest: watches, now: () => Date.now() });
  redis.sessions.on('ready', () => streams.sessions.reloadAll());
  return { streams, watches };
}
