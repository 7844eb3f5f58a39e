import { readConfig, redisAddress, tlsFields, tlsFilesOf, type TlsFiles } from '@portcullis/boot';
import { loadMasterKey } from '@portcullis/secrets';
import { z } from 'zod';
import type { AlertsOptions } from './alerts/alerts.module.js';
import type { AnchorTargets } from './audit-proof/anchors.service.js';
import type { CredentialOptions } from './credentials/oauth-outlet.js';
import type { ImportOptions } from './imports/imports.module.js';
import { oidcFields, oidcOptionsOf } from './operators/oidc-config.js';
import type { OidcOptions } from './operators/oidc-operators.js';

const port = z.coerce.number().int().min(0).max(65_535);

/** What the control plane reads from its environment at start. */
export interface Config {
  readonly host: string;
  readonly port: number;
  readonly healthHost: string;
  readonly healthPort: number;
  readonly logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly masterKey: Uint8Array;
  /** While the master key is being replaced. */
  readonly previousMasterKey?: Uint8Array | undefined;
  /** Where audit workers are left the key that they need, which is made from the master key. */
  readonly auditKeyFile?: string | undefined;
  readonly bootstrapTokenFile?: string | undefined;
  /** A join token that does not expire, for installations that are set up by a file. */
  readonly joinToken?: string | undefined;
  /** The same for runners. */
  readonly runnerJoinToken?: string | undefined;
  readonly imports?: ImportOptions | undefined;
  readonly credentials?: CredentialOptions | undefined;
  readonly alerts?: AlertsOptions | undefined;
  readonly auditAnchors?: AnchorTargets | undefined;
  readonly operatorOidc?: OidcOptions | undefined;
  readonly tls?: TlsFiles | undefined;
}

/** What the discovery worker reads from its environment at start. */
export interface DiscoveryConfig extends Pick<Config, 'host' | 'healthHost' | 'healthPort' | 'logLevel' | 'databaseUrl' | 'redisUrl'> {
  /** CIDR ranges beyond the public network that servers may lie in. */
  readonly egressAllow: readonly string[];
  /** How long changes of servers are kept. */
  readonly driftHistoryDays: number;
  /** Opens what servers are called with; without it those that are called with anything are not discovered. */
  readonly masterKey: Uint8Array | undefined;
  readonly previousMasterKey: Uint8Array | undefined;
}

const ranges = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((range) => range.trim())
      .filter((range) => range !== ''),
  )
  .pipe(z.array(z.union([z.cidrv4(), z.cidrv6()])));

const processFields = {
  host: z.string().default('127.0.0.1'),
  healthHost: z.string().default('127.0.0.1'),
  healthPort: port.default(9100),
  logLevel: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  databaseUrl: z.url({ protocol: /^postgres(ql)?$/ }),
  redisUrl: redisAddress(),
};

const masterKeyFields = {
  // Made at first start, so that one machine needs no key of its own; many machines share one by the variable or a mounted file.
  portcullisMasterKey: z.string().optional(),
  portcullisMasterKeyFile: z.string().optional(),
  // The one before, while it is being replaced.
  portcullisPreviousMasterKey: z.string().optional(),
  portcullisPreviousMasterKeyFile: z.string().optional(),
};

/** Throws with every fault at once when the environment cannot be used. */
export function loadDiscoveryConfig(env: NodeJS.ProcessEnv = process.env): DiscoveryConfig {
  const { portcullisEgressAllow, portcullisDriftHistoryDays, ...read } = readConfig(
    {
      ...processFields,
      ...masterKeyFields,
      portcullisEgressAllow: ranges,
      // Budgets count the changes of a day, so that long they are needed.
      portcullisDriftHistoryDays: z.coerce.number().int().min(2).max(36_500).default(400),
    },
    env,
  );
  const { portcullisMasterKey, portcullisMasterKeyFile, portcullisPreviousMasterKey, portcullisPreviousMasterKeyFile, ...rest } = read;
  const hasKey = (portcullisMasterKey ?? portcullisMasterKeyFile ?? '') !== '';
  const masterKey = hasKey ? loadMasterKey({ value: portcullisMasterKey, file: portcullisMasterKeyFile }) : undefined;
  const previousMasterKey = previousOf({ value: portcullisPreviousMasterKey, file: portcullisPreviousMasterKeyFile });
  return { ...rest, egressAllow: portcullisEgressAllow, driftHistoryDays: portcullisDriftHistoryDays, masterKey, previousMasterKey };
}

/** Undefined where none is given, as almost always. */
function previousOf(source: { readonly value?: string | undefined; readonly file?: string | undefined }): Uint8Array | undefined {
  return (source.value ?? source.file ?? '') === '' ? undefined : loadMasterKey({ ...source, mustExist: true });
}

const controlPlaneFields = {
  ...processFields,
  ...oidcFields,
  port: port.default(3000),
  ...tlsFields,
  ...masterKeyFields,
  // Written at every start, for audit workers to read: they need a key made from the master key, and not that itself.
  portcullisAuditKeyFile: z.string().min(1).optional(),
  portcullisBootstrapTokenFile: z.string().optional(),
  portcullisJoinToken: z.string().min(24).max(512).optional(),
  portcullisRunnerJoinToken: z.string().min(24).max(512).optional(),
  // Where servers are pulled from when an operator names no registry, and where else than in public a registry or the receiver of a webhook may be.
  portcullisRegistryUrl: z.url({ protocol: /^https?$/ }).optional(),
  portcullisEgressAllow: ranges,
  // Where authorization servers may read who we are; without it they are told by registration or by hand.
  portcullisPublicUrl: z.url({ protocol: /^https?$/ }).optional(),
  // Where heads of the audit trail are kept outside the database; best where whoever runs the database cannot write.
  auditAnchorFile: z.string().min(1).optional(),
  auditAnchorUrl: z.url({ protocol: /^https?$/ }).optional(),
  portcullisImportRowsMax: z.coerce.number().int().min(1).max(1_000_000).optional(),
};

/** Throws with every fault at once when the environment cannot be used. */
export function loadConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const {
    portcullisMasterKey,
    portcullisMasterKeyFile,
    portcullisPreviousMasterKey,
    portcullisPreviousMasterKeyFile,
    portcullisAuditKeyFile,
    portcullisBootstrapTokenFile,
    portcullisJoinToken,
    portcullisRunnerJoinToken,
    portcullisRegistryUrl,
    portcullisImportRowsMax,
    portcullisEgressAllow,
    portcullisPublicUrl,
    auditAnchorFile,
    auditAnchorUrl,
    operatorOidcIssuer,
    operatorOidcAudience,
    operatorOidcJwksUri,
    operatorOidcAlgorithms,
    operatorOidcRoleClaim,
    operatorOidcRoles,
    tlsCertFile,
    tlsKeyFile,
    ...rest
  } = readConfig(controlPlaneFields, env);
  const masterKey = loadMasterKey({ value: portcullisMasterKey, file: portcullisMasterKeyFile });
  const imports = { rowsMax: portcullisImportRowsMax, registryUrl: portcullisRegistryUrl, egressAllow: portcullisEgressAllow };
  return {
    ...rest,
    masterKey,
    previousMasterKey: previousOf({ value: portcullisPreviousMasterKey, file: portcullisPreviousMasterKeyFile }),
    auditKeyFile: portcullisAuditKeyFile,
    bootstrapTokenFile: portcullisBootstrapTokenFile,
    joinToken: portcullisJoinToken,
    runnerJoinToken: portcullisRunnerJoinToken,
    imports,
    credentials: { egressAllow: portcullisEgressAllow, publicUrl: portcullisPublicUrl },
    alerts: { egressAllow: portcullisEgressAllow },
    tls: tlsFilesOf({ tlsCertFile, tlsKeyFile }),
    auditAnchors: { file: auditAnchorFile, url: auditAnchorUrl },
    operatorOidc: oidcOptionsOf(
      { operatorOidcIssuer, operatorOidcAudience, operatorOidcJwksUri, operatorOidcAlgorithms, operatorOidcRoleClaim, operatorOidcRoles },
      portcullisEgressAllow,
    ),
  };
}
