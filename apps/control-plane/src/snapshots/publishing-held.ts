import type { PrismaClient } from '@portcullis/database';

/**
 * Why nothing may be published. `restored`: nodes follow a policy that this database does not know, so it lies before them in time and an operator
 * has to say that it counts. `newer_release`: a newer control plane compiles rows in a way this one does not know, and might mean less by them.
 */
export type HoldReason = 'restored' | 'newer_release';

/** Raised where publishing would be wrong rather than impossible. Nodes keep what they have. */
export class PublishingHeld extends Error {
  override readonly name = 'PublishingHeld';

  constructor(
    readonly reason: HoldReason,
    /** What shows that it is, where the database has no note of that yet. */
    readonly seen?: PolicyVersion,
  ) {
    super(`Publishing is held: ${reason}`);
  }
}

/** Which policy: revisions of a later epoch are newer than any of an earlier one. */
export interface PolicyVersion {
  readonly epoch: number;
  readonly revision: number;
}

export const isNewerVersion = (one: PolicyVersion, other: PolicyVersion): boolean =>
  one.epoch > other.epoch || (one.epoch === other.epoch && one.revision > other.revision);

/**
 * Notes a policy that was seen signed and in use. Where the database does not know it, publishing and every change of policy are held until an
 * operator begins a new epoch: counting on from an older state would lead to the same numbers with another content.
 */
export async function noteSeenPolicy(database: PrismaClient, { epoch, revision }: PolicyVersion): Promise<void> {
  await database.$executeRaw`
    UPDATE policy_state SET ahead_epoch = ${epoch}, ahead_revision = ${revision}
    WHERE id = 1 AND (epoch, revision) < (${epoch}, ${revision})
      AND (ahead_epoch IS NULL OR (ahead_epoch, ahead_revision) < (${epoch}, ${revision}))`;
}
