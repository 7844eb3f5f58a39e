import type { LaunchProfileVersion } from '@portcullis/contracts/api/launch-profiles';
import { LaunchProfile } from '@portcullis/contracts/runner/launch-profile';
import type { ProfileRow } from './launch-profiles.repository.js';

/** A version of a profile as operators see it. */
export function toLaunchProfile(row: ProfileRow): LaunchProfileVersion {
  const { id, version, state, hash, proposedBy, reason, decidedBy, decisionReason, server } = row;
  const path = `/v1/servers/${server.slug}/profiles/${String(version)}`;
  return {
    id,
    server: server.slug,
    version,
    state,
    profile: LaunchProfile.parse(row.profile),
    hash,
    proposedBy,
    proposedAt: row.proposedAt.toISOString(),
    reason,
    decidedBy,
    decidedAt: row.decidedAt?.toISOString() ?? null,
    decisionReason,
    next: state === 'pending' ? [`Look through it, then approve it: POST ${path}/approve {"hash":"${hash}"}, or reject it: POST ${path}/reject`] : [],
  };
}
