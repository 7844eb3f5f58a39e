import { z } from 'zod';
import { Id, Slug } from '../names.js';
import { LaunchProfile } from '../runner/launch-profile.js';
import { Digest } from '../snapshot.js';
import { pageOf, pageQuery, Reason, Reference, Timestamp } from './conventions.js';

/** `approved` is what runs, at most one of a server; `superseded` gave way to a newer one. */
export const LaunchProfileState = z.enum(['pending', 'approved', 'rejected', 'superseded']);
export type LaunchProfileState = z.infer<typeof LaunchProfileState>;

const example = {
  program: { kind: 'npm', name: '@modelcontextprotocol/server-filesystem', version: '2026.8.31' },
  args: ['/srv/files'],
  network: 'none',
} as const;

/** A new version of what a server of stdio is to be started as. It waits for approval; what was approved before goes on running. */
export const ProposeLaunchProfile = z
  .strictObject({ profile: LaunchProfile, reason: Reason.optional() })
  .meta({ id: 'ProposeLaunchProfile', examples: [{ profile: example, reason: 'Files of the support team' }] });
export type ProposeLaunchProfile = z.infer<typeof ProposeLaunchProfile>;

/** `hash` is of what was looked at: another one is refused (409), not approved unseen. */
export const ApproveLaunchProfile = z
  .strictObject({ hash: Digest, reason: Reason.optional() })
  .meta({ id: 'ApproveLaunchProfile', examples: [{ hash: '0'.repeat(64), reason: 'Looked through' }] });
export type ApproveLaunchProfile = z.infer<typeof ApproveLaunchProfile>;

/** Rejecting what is approved ends what runs. */
export const RejectLaunchProfile = z
  .strictObject({ reason: Reason.optional() })
  .meta({ id: 'RejectLaunchProfile', examples: [{ reason: 'Not that folder' }] });
export type RejectLaunchProfile = z.infer<typeof RejectLaunchProfile>;

export const LaunchProfileVersion = z
  .object({
    id: Id,
    server: z.string(),
    version: z.number().int(),
    state: LaunchProfileState,
    profile: LaunchProfile,
    /** SHA-256 of the profile's canonical text: what an approval is for. */
    hash: Digest,
    proposedBy: z.string(),
    proposedAt: Timestamp,
    reason: z.string().nullable(),
    decidedBy: z.string().nullable(),
    decidedAt: Timestamp.nullable(),
    decisionReason: z.string().nullable(),
    next: z.array(z.string()),
  })
  .meta({
    id: 'LaunchProfileVersion',
    examples: [
      {
        id: '0199aaaa-0000-7000-8000-000000000001',
        server: 'files',
        version: 1,
        state: 'pending',
        profile: example,
        hash: '0'.repeat(64),
        proposedBy: 'admin',
        proposedAt: '2026-01-01T00:00:00.000Z',
        reason: 'Files of the support team',
        decidedBy: null,
        decidedAt: null,
        decisionReason: null,
        next: [],
      },
    ],
  });
export type LaunchProfileVersion = z.infer<typeof LaunchProfileVersion>;
export const LaunchProfilePage = pageOf(LaunchProfileVersion).meta({ id: 'LaunchProfilePage' });

export const ListLaunchProfilesQuery = z.strictObject({
  ...pageQuery,
  server: Reference.optional(),
  state: LaunchProfileState.optional(),
});
export type ListLaunchProfilesQuery = z.infer<typeof ListLaunchProfilesQuery>;

/** What children of a server last wrote to stderr, as its runner told. */
export const ServerLog = z.object({ server: Slug, text: z.string(), at: Timestamp.nullable() }).meta({
  id: 'ServerLog',
  examples: [{ server: 'files', text: 'Secure MCP Filesystem Server running on stdio\n', at: '2026-01-01T00:00:00.000Z' }],
});
export type ServerLog = z.infer<typeof ServerLog>;

/** Children are started anew, and a quarantine ends. */
export const RestartServer = z.strictObject({ reason: Reason.optional() }).meta({ id: 'RestartServer', examples: [{ reason: 'It was fixed' }] });
export type RestartServer = z.infer<typeof RestartServer>;

/** Another runner is to host it; unsaid, the one of all others that has the most room. What the server wrote into a folder of its own stays where it is. */
export const MoveServer = z
  .strictObject({ runner: z.string().min(1).max(64).optional(), reason: Reason.optional() })
  .meta({ id: 'MoveServer', examples: [{ runner: 'runner-2', reason: 'It has more room' }] });
export type MoveServer = z.infer<typeof MoveServer>;
