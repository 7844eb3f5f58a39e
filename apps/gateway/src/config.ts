import { readConfig, redisAddress, tlsFields } from '@portcullis/boot';
import { z } from 'zod';
import { SERVER_LIMITS } from './edge/server-limits.js';

const port = z.coerce.number().int().min(0).max(65_535);
const list = z
  .string()
  .default('')
  .transform((text) => text.split(',').map((entry) => entry.trim()))
  .transform((entries) => entries.filter((entry) => entry !== ''));

export type Config = ReturnType<typeof loadConfig>;

/** What a node reads from its environment at start. Throws with every fault at once when it cannot be used. */
export const loadConfig = (env?: NodeJS.ProcessEnv) =>
  readConfig(
    {
      /** Where agents connect. */
      host: z.string().default('127.0.0.1'),
      port: port.default(8080),
      ...tlsFields,
      healthHost: z.string().default('127.0.0.1'),
      healthPort: port.default(9100),
      /** Where other nodes connect, on a network that agents cannot reach; port 0 takes a free one. */
      internalHost: z.string().default('127.0.0.1'),
      internalPort: port.default(0),
      /** Address other nodes reach that listener at, where it is not its own host and port. */
      internalUrl: z
        .url({ protocol: /^http$/ })
        .max(100)
        .optional(),
      /** The name under which the node enrols; it stays the same over restarts. */
      nodeName: z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/, 'must be 1–64 characters of a–z, 0–9 and inner hyphens'),
      /** Identity, last good policy and audit spool. Belongs to this node alone. */
      dataDir: z.string().min(1),
      redisUrl: redisAddress(),
      /** The audit queue may have a Redis of its own, so that a backlog cannot touch policy. */
      auditRedisUrl: redisAddress().optional(),
      controlPlaneUrl: z.url({ protocol: /^https?$/ }),
      /** Needed until the node has enrolled. */
      joinToken: z.string().optional(),
      /** Address under which operators know this node; shown to them, used for nothing. */
      publicUrl: z.url({ protocol: /^https?$/ }).optional(),
      /** `Host` names this node answers to, and origins whose pages may call it. Empty: the loopback names. */
      allowedHosts: list,
      allowedOrigins: list,
      /** Address ranges beyond the public network in which servers may lie. */
      portcullisEgressAllow: list,
      /** Connections one address may hold. Behind a proxy that hides its callers' addresses, all of them are one. */
      connectionsPerSourceMax: z.coerce.number().int().min(1).default(SERVER_LIMITS.connectionsPerSourceMax),
      /** Connections that begin in a second, in steps of 125; the rest of a crowd waits for its turn. */
      connectionsPerSecondMax: z.coerce.number().int().min(125).default(SERVER_LIMITS.connectionsPerSecondMax),
      /** Agents whose compiled policy is kept ready. */
      agentsReadyMax: z.coerce.number().int().min(1).default(2000),
      /** How long calls in progress may take to end when the node stops. */
      stopGraceMs: z.coerce.number().int().nonnegative().default(10_000),
      logLevel: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
    },
    env,
  );
