import { Global, Inject, Logger, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { Redis } from 'ioredis';

const COMMAND_TIMEOUT_MS = 5_000;
const RECONNECT_MS_MAX = 1_000;

/**
 * A connection for commands. While Redis is away they fail at once instead of piling up; the connection comes back by itself.
 * Each cause of an outage is told once.
 */
export function openRedis(url: string, warn: (message: string) => void): Redis {
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    commandTimeout: COMMAND_TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt) => Math.min(attempt * 100, RECONNECT_MS_MAX),
  });
  let told: string | undefined;
  redis.on('error', ({ message }: Error) => {
    if (message !== told) warn(`Redis cannot be reached: ${message}`);
    told = message;
  });
  redis.on('ready', () => (told = undefined));
  return redis;
}

/** One connection for the whole process, under the token `Redis`; closed when the application is. */
@Global()
@Module({})
export class RedisModule implements OnApplicationShutdown {
  constructor(@Inject(Redis) private readonly redis: Redis) {}

  static at(url: string): DynamicModule {
    const logger = new Logger('redis');
    return {
      module: RedisModule,
      providers: [{ provide: Redis, useFactory: () => openRedis(url, (message) => logger.warn(message)) }],
      exports: [Redis],
    };
  }

  onApplicationShutdown(): void {
    this.redis.disconnect();
  }
}
