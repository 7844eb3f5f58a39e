import { z } from 'zod';
import { ConfigError, readConfig, redisAddress } from '@portcullis/boot';
import { readAuditKeys } from '@portcullis/secrets';
import type { AuditKeySource } from './audit-secrets.js';

export type Config = ReturnType<typeof loadConfig>;

const isKeys = (text: string): boolean => {
  try {
    readAuditKeys(text);
    return true;
  } catch {
    return false;
  }
};

const fields = {
  databaseUrl: z.url({ protocol: /^postgres(ql)?$/ }), // DATABASE_URL
  redisUrl: redisAddress(), // REDIS_URL
  /** The audit queue may have a Redis of its own, so that a backlog cannot touch policy. */
  auditRedisUrl: redisAddress().optional(), // AUDIT_REDIS_URL
  healthHost: z.string().default('127.0.0.1'),
  healthPort: z.coerce.number().int().min(0).max(65_535).default(9402),
  logLevel: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  /** Batches taken from the queue at the same time; those that come together are stored together. */
  concurrency: z.coerce.number().int().min(1).max(64).default(32),
  /** What control planes write to the file of this name, or that file: secrets of nodes lie sealed under it. */
  portcullisAuditKey: z.string().refine(isKeys, 'must be what control planes write to PORTCULLIS_AUDIT_KEY_FILE').optional(),
  portcullisAuditKeyFile: z.string().min(1).optional(),
};

/** Throws with every fault at once when the environment cannot be used. */
export function loadConfig(env?: NodeJS.ProcessEnv) {
  const { portcullisAuditKey: keys, portcullisAuditKeyFile: file, ...rest } = readConfig(fields, env);
  const problem = 'is missing: name the file that control planes write (they have the same variable), or give what it holds as PORTCULLIS_AUDIT_KEY';
  if (keys === undefined && file === undefined) throw new ConfigError([{ variable: 'PORTCULLIS_AUDIT_KEY_FILE', problem }]);
  const auditKeys: AuditKeySource = { keys, file };
  return { ...rest, auditKeys };
}
