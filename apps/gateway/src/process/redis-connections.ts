import type { Logger } from '@portcullis/boot';
import { Redis } from 'ioredis';

/** A node's connections to Redis. Each is made and kept up in the background; nothing waits for it. */
export interface RedisConnections {
  /** For commands on the path of a call: an answer within `COMMAND_MS_MAX`, or an error. */
  readonly commands: Redis;
  /** For reading policy, and for its subscription. */
  readonly policyCommands: Redis;
  readonly policy: Redis;
  /** For the subscriptions of sessions. */
  readonly sessions: Redis;
  /** For the audit queue. */
  readonly audit: Redis;
  close(): void;
}

const COMMAND_MS_MAX = 1000;
/** Chunks may be megabytes. */
const POLICY_MS_MAX = 5000;
const RETRY_MS_MAX = 1000;

/** Opens the connections; Redis may come later. */
export function openRedis(urls: { redisUrl: string; auditRedisUrl: string | undefined }, logger: Logger): RedisConnections {
  const troubled = new Set<string>();
  const open = (name: string, url: string, commandTimeout: number | undefined): Redis => {
    const redis = new Redis(url, {
      ...(commandTimeout !== undefined && { commandTimeout, enableOfflineQueue: false }),
      maxRetriesPerRequest: null,
      connectTimeout: 5000,
      keepAlive: 1000,
      // What was the primary, and is a replica now, goes on answering: only a new connection leads to the one that took over.
      reconnectOnError: ({ message }) => message.startsWith('READONLY'),
      retryStrategy: (times) => Math.min(times * 50, RETRY_MS_MAX),
    });
    // One line when it goes away and one when it is back, not one for every attempt.
    redis.on('error', (error) => {
      if (!troubled.has(name)) logger.warn({ err: error, connection: name }, 'Redis is not to be had');
      troubled.add(name);
    });
    redis.on('ready', () => {
      if (troubled.delete(name)) logger.info({ connection: name }, 'Redis is back');
    });
    return redis;
  };
  const commands = open('commands', urls.redisUrl, COMMAND_MS_MAX);
  const policyCommands = open('policy commands', urls.redisUrl, POLICY_MS_MAX);
  const policy = open('policy', urls.redisUrl, undefined);
  const sessions = open('sessions', urls.redisUrl, undefined);
  const audit = open('audit', urls.auditRedisUrl ?? urls.redisUrl, undefined);
  const all = [commands, policyCommands, policy, sessions, audit];
  return { commands, policyCommands, policy, sessions, audit, close: () => all.forEach((redis) => redis.disconnect()) };
}
