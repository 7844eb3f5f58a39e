import { readConfig, tlsFields } from '@portcullis/boot';
import { z } from 'zod';

const port = z.coerce.number().int().min(0).max(65_535);
/** What tools that install packages may see of the runner's environment: where they get them from, and nothing of ours. */
const INSTALLER_VARIABLE =
  /^(?:PATH|HOME|npm_config_.*|NPM_CONFIG_.*|UV_(?:INDEX|DEFAULT_INDEX|INDEX_URL|PYTHON).*|https?_proxy|no_proxy|HTTPS?_PROXY|NO_PROXY|SSL_CERT_(?:FILE|DIR)|NODE_EXTRA_CA_CERTS)$/;

export type Config = ReturnType<typeof loadConfig>;

/** What a runner reads from its environment at start. Throws with every fault at once when it cannot be used. */
export const loadConfig = (env?: NodeJS.ProcessEnv) =>
  readConfig(
    {
      /** Where nodes connect, on a network that agents cannot reach; port 0 takes a free one. */
      host: z.string().default('127.0.0.1'),
      port: port.default(8090),
      /** Where nodes connect by TLS: its certificate with its chain, and the key to it. Nodes trust its authority by NODE_EXTRA_CA_CERTS. */
      ...tlsFields,
      healthHost: z.string().default('127.0.0.1'),
      healthPort: port.default(9110),
      /** Address at which nodes reach that listener, where it is not its own host and port. */
      publicUrl: z.url({ protocol: /^https?$/ }).optional(),
      /** The name under which the runner enrols; it stays the same over restarts. */
      runnerName: z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/, 'must be 1–64 characters of a–z, 0–9 and inner hyphens'),
      /** Identity, last assignments, packages and working folders. Belongs to this runner alone. */
      dataDir: z.string().min(1),
      controlPlaneUrl: z.url({ protocol: /^https?$/ }),
      /** Needed until the runner has enrolled. */
      joinToken: z.string().optional(),
      /** Children that it runs at a time. */
      capacity: z.coerce.number().int().min(1).max(100_000).default(200),
      /** Users that servers run as, one each, where the runner is root: the first, and how many. Runners of one machine need ranges of their own. */
      serverUidFirst: z.coerce.number().int().min(1000).max(2_000_000_000).default(61_000),
      serverUidCount: z.coerce.number().int().min(1).max(1_000_000).default(4000),
      /** Programs that install packages; unsaid, they are looked for where the environment says. */
      npmPath: z.string().startsWith('/').optional(),
      uvPath: z.string().startsWith('/').optional(),
      /** How long requests in progress may take to end when the runner stops. */
      stopGraceMs: z.coerce.number().int().nonnegative().default(10_000),
      logLevel: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
    },
    env,
  );

/** The part of an environment that tools which install packages get. */
export function installerEnvironment(env: NodeJS.ProcessEnv = process.env): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value !== undefined && INSTALLER_VARIABLE.test(name) ? [[name, value]] : [])),
  );
}
