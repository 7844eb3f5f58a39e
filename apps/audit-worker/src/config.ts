import { z } from 'zod';
import { readConfig, redisAddress } from '@portcullis/boot';

export type Config = ReturnType<typeof loadConfig>;

export const loadConfig = (env?: NodeJS.ProcessEnv) =>
  readConfig(
    {
      databaseUrl: z.url({ protocol: /^postgres(ql)?$/ }), // DATABASE_URL
      redisUrl: redisAddress(), // REDIS_URL
      /** The audit queue may have a Redis of its own, so that a backlog cannot touch policy. */
      auditRedisUrl: redisAddress().optional(), // AUDIT_REDIS_URL
      healthHost: z.string().default('127.0.0.1'),
      healthPort: z.coerce.number().int().min(0).max(65_535).default(9402),
      logLevel: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
      /** Batches taken from the queue at the same time; those that come together are stored together. */
      concurrency: z.coerce.number().int().min(1).max(64).default(32),
    },
    env,
  );
