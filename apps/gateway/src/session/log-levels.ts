import type { Redis } from 'ioredis';
import { LRUCache } from '../memory/lru-cache.js';
import { hearChannels } from '../process/hear-channels.js';
import { isLogLevel, type LogLevel } from './log-level.js';
import type { SessionStore } from './session-store.js';

/** How nodes tell one another that a session's level has changed; it may fail, and then lasts until the session is forgotten here. */
export interface LogLevelChannel {
  publish(session: string): void;
  /** Without a session: whatever was said since the last one is lost. */
  onMessage(listener: (session: string | undefined) => void): void;
}

const REMEMBERED_MAX = 10_000;
const keyOf = (session: string): string => `portcullis:log-level:${session}`;

/** The log level each legacy session asked for: in Redis for all nodes, read once by each. Without Redis a node knows what it was told itself. */
export class LogLevels {
  private readonly known = new LRUCache<LogLevel | 'unset'>(REMEMBERED_MAX);

  constructor(
    private readonly store: SessionStore,
    private readonly channel: LogLevelChannel,
  ) {
    channel.onMessage((session) => {
      if (session === undefined) this.known.clear();
      else this.known.delete(session);
    });
  }

  async of(session: string): Promise<LogLevel | undefined> {
    let level = this.known.get(session);
    if (level === undefined) {
      const stored = await this.store.get(keyOf(session)).catch(() => undefined);
      if (stored === undefined) return undefined; // Redis is away; the next call asks again
      level = isLogLevel(stored) ? stored : 'unset';
      this.known.set(session, level);
    }
    return level === 'unset' ? undefined : level;
  }

  async set(session: string, level: LogLevel, ttlMs: number): Promise<void> {
    await this.store.set(keyOf(session), level, ttlMs).catch(() => undefined);
    this.channel.publish(session);
    this.known.set(session, level);
  }
}

const CHANNEL = 'portcullis:log-level';

/** The channel over Redis. Whoever forges a message makes a node look again. */
export function redisLogLevelChannel(commands: Redis, subscriber: Redis): LogLevelChannel {
  return {
    publish: (session) => void commands.publish(CHANNEL, session).catch(() => undefined),
    onMessage: (listener) => {
      subscriber.on('ready', () => listener(undefined));
      hearChannels(subscriber, [CHANNEL], listener);
    },
  };
}
