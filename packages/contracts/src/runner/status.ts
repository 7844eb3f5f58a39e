import { z } from 'zod';

/** What a runner is doing about one server. `quarantined`: it failed too often, and stays down until an operator or a new profile says otherwise. */
export const ChildState = z.enum(['idle', 'installing', 'starting', 'running', 'backing-off', 'quarantined', 'failed']);
export type ChildState = z.infer<typeof ChildState>;

/** Walls between children and the rest of the machine. */
export const SandboxWall = z.enum(['user', 'pidNamespace', 'networkNamespace', 'mountNamespace', 'cgroups', 'noNewPrivileges']);
export type SandboxWall = z.infer<typeof SandboxWall>;

/** Whether this runner can put up a wall; where not, why, in words for an operator. */
export const SandboxReport = z.record(
  SandboxWall,
  z.union([z.object({ enforced: z.literal(true) }), z.object({ enforced: z.literal(false), reason: z.string().max(300) })]),
);
export type SandboxReport = z.infer<typeof SandboxReport>;

export const LOG_TAIL_CHARS_MAX = 16_384;

/** How one assigned server is. Counts are of this run of the runner. */
export const HostedServer = z.object({
  serverId: z.uuid(),
  /** Of the profile that it is about. */
  profileHash: z.string().max(64),
  state: ChildState,
  /** Children that run now. */
  instances: z.number().int().nonnegative(),
  restarts: z.number().int().nonnegative(),
  /** Lines on stdout that were no message, and were skipped. */
  junkLines: z.number().int().nonnegative(),
  /** Whether it takes more processor time than its profile allows, and is stopped now and then for that. */
  throttled: z.boolean().optional(),
  /** In words for an operator, without secrets; null where nothing is wrong. */
  lastError: z.string().max(1000).nullable(),
});
export type HostedServer = z.infer<typeof HostedServer>;
