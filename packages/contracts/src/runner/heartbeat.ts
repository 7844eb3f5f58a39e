import { z } from 'zod';
import { Id, OWN_SERVER_ID, Slug } from '../names.js';
import { Digest } from '../snapshot.js';
import { LaunchProfile } from './launch-profile.js';
import { HostedServer, LOG_TAIL_CHARS_MAX, SandboxReport } from './status.js';

/** What a runner and the control plane say to one another under `/v1/runner`. A runner's key opens no other door, and no other key opens this one. */
export const RUNNER_ENROL_PATH = '/v1/runner/enrol';
export const RUNNER_HEARTBEAT_PATH = '/v1/runner/heartbeat';

/** `POST /v1/runner/enrol`, authenticated by a join token for runners: the X25519 public key to which what its servers need is sealed. */
export const EnrolRunner = z.strictObject({
  name: z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/),
  sealingPublicKey: z.string().max(200),
});
export type EnrolRunner = z.infer<typeof EnrolRunner>;

export const EnrolRunnerResponse = z.object({ runnerId: Id, runnerKey: z.string() });
export type EnrolRunnerResponse = z.infer<typeof EnrolRunnerResponse>;

/** How often a runner says that it lives. One that has said nothing for three times as long is dead, and its servers move. */
export const RUNNER_HEARTBEAT_SECONDS = 2;
export const RUNNER_DEAD_AFTER_MS = 3 * RUNNER_HEARTBEAT_SECONDS * 1000;

/** Tails in one heartbeat; more wait for the next. */
export const LOG_TAILS_MAX = 20;
export const LEFT_SERVERS_MAX = 1000;

/** `POST /v1/runner/heartbeat`. A newer runner may say more. */
export const RunnerHeartbeat = z.object({
  boot: Id,
  version: z.string().max(64),
  /** Where nodes reach it: `<address>/servers/<slug>/mcp`. */
  address: z.url({ protocol: /^https?$/ }).max(500),
  /** How many children it may run at a time. */
  capacity: z.number().int().min(1).max(100_000),
  sandbox: SandboxReport,
  /** Of all servers that it knows of. */
  servers: z.array(HostedServer).max(5000),
  /**
   * What children last wrote to stderr, only of servers where that has changed since a heartbeat that was answered. The whole tail each time. Like every text here
   * it is well-formed and holds no NUL: a body with one is refused whole.
   */
  logs: z
    .array(z.object({ serverId: Id, text: z.string().max(LOG_TAIL_CHARS_MAX) }))
    .max(LOG_TAILS_MAX)
    .default([]),
  /** Servers of which something lies there still, though it does not host them. */
  left: z.array(Id).max(LEFT_SERVERS_MAX).default([]),
  /** It goes: what it hosts is to move at once. */
  leaving: z.boolean().default(false),
});
export type RunnerHeartbeat = z.infer<typeof RunnerHeartbeat>;

/** A server that this runner is to offer. Whatever is not in the newest answer is to be ended. */
export const RunnerAssignment = z.object({
  serverId: Id,
  slug: Slug,
  /** SHA-256 in hex of `launchProfileText(profile)`. */
  profileHash: Digest,
  profile: LaunchProfile,
  /** Raised when an operator wants its children anew: a quarantine ends. */
  generation: z.number().int().nonnegative(),
  /** Another one says that the secrets differ, and children are to be started anew; null where the profile takes none. */
  environmentVersion: z.string().nullable(),
  /** `SecretEnvironment` as JSON, sealed to the runner with `runnerEnvironmentAad`; null where the profile takes none. Each answer seals anew. */
  sealedEnvironment: z.string().nullable(),
});
export type RunnerAssignment = z.infer<typeof RunnerAssignment>;

/** Secrets by the names by which the profile refers to them. */
export const SecretEnvironment = z.record(z.string(), z.string());
export type SecretEnvironment = z.infer<typeof SecretEnvironment>;

export const runnerEnvironmentAad = (runnerId: string, serverId: string, profileHash: string): string =>
  `runner-environment|${runnerId}|${serverId}|${profileHash}|1`;

export const RunnerHeartbeatResponse = z.object({
  assignments: z.array(RunnerAssignment),
  /** SHA-256 in lower-case hex of the access tokens (as text) with which nodes may come; more than one while they change. */
  accessTokenHashes: z.array(Digest),
  /** Of those that it said are left there: which are no servers of stdio any more. */
  removed: z.array(Id).default([]),
  revision: z.number().int().nonnegative(),
  heartbeatSeconds: z.number().int().positive(),
});
export type RunnerHeartbeatResponse = z.infer<typeof RunnerHeartbeatResponse>;

/** Says for which agent a node calls, by the agent's id. It counts only beside a runner's access token. */
export const RUNNER_AGENT_HEADER = 'portcullis-agent';
/** In whose name the control plane asks servers what they offer. No agent has this id. */
export const RUNNER_DISCOVERY_AGENT = OWN_SERVER_ID;

/** Where a runner offers a server. */
export const runnerServerUrl = (address: string, slug: string): string => `${address.replace(/\/$/, '')}/servers/${slug}/mcp`;
