import { readConfig } from '@portcullis/boot';
import { loadMasterKey } from '@portcullis/secrets';
import { z } from 'zod';

const port = z.coerce.number().int().min(0).max(65_535);

/** What the control plane reads from its environment at start. */
export interface Config {
  readonly host: string;
  readonly port: number;
  readonly healthPort: number;
  readonly logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly masterKey: Uint8Array;
  readonly bootstrapTokenFile?: string | undefined;
}

/** Throws with every fault at once when the environment cannot be used. */
export function loadConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const { portcullisMasterKey, portcullisMasterKeyFile, portcullisBootstrapTokenFile, ...rest } = readConfig(
    {
      host: z.string().default('127.0.0.1'),
      port: port.default(3000),
      healthPort: port.default(9100),
      logLevel: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
      databaseUrl: z.url({ protocol: /^postgres(ql)?$/ }),
      redisUrl: z.url({ protocol: /^rediss?$/ }),
      portcullisMasterKey: z.string().optional(),
      // Made at first start, so that one machine needs no key of its own; many machines share one by the variable or a mounted file.
      portcullisMasterKeyFile: z.string().optional(),
      portcullisBootstrapTokenFile: z.string().optional(),
    },
    env,
  );
  const masterKey = loadMasterKey({ value: portcullisMasterKey, file: portcullisMasterKeyFile });
  return { ...rest, masterKey, bootstrapTokenFile: portcullisBootstrapTokenFile };
}
