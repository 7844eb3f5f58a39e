import { z } from 'zod';
import { AuditCapture, CaptureOverride } from '../capture.js';
import { Id, TargetKind } from '../names.js';
import { AuditRelease } from '../snapshot.js';
import { Narrowing } from '../task-keys.js';
import { PublicUrl, TokenIssuers } from '../token-issuers.js';
import { pageOf, Reason, Reference, Timestamp } from './conventions.js';

/** `target` is canonical: `server:name`. */
export const ExplainRequest = z
  .strictObject({
    agent: Reference,
    target: z.string().min(3).max(2200),
    kind: TargetKind.default('tools'),
    arguments: z.record(z.string(), z.unknown()).optional(),
    /** What a key for a task is narrowed to: asks about that key instead of the agent's own. */
    task: Narrowing.optional(),
  })
  .meta({
    id: 'ExplainRequest',
    examples: [
      { agent: 'data-agent', target: 'postgres:query' },
      { agent: 'data-agent', target: 'postgres:query', task: { tools: ['postgres:query'] } },
    ],
  });
export type ExplainRequest = z.infer<typeof ExplainRequest>;

export const ExplainResponse = z
  .object({
    effect: z.enum(['allow', 'deny', 'conditional']),
    /** Whether the agent sees the target in its lists now. */
    visible: z.boolean(),
    grantId: Id.nullable(),
    /** The chain of rules that led there, first to last. */
    steps: z.array(z.object({ code: z.string(), text: z.string(), grantId: Id.nullable() })),
    /** What an operator could do to change the answer; empty when access is as full as it gets. */
    hints: z.array(z.string()),
    revision: z.number().int(),
  })
  .meta({ id: 'ExplainResponse' });
export type ExplainResponse = z.infer<typeof ExplainResponse>;

/** A change of policy. Revisions are totally ordered; a snapshot holds all of them up to its number. */
export const Revision = z
  .object({
    revision: z.number().int(),
    author: z.string(),
    action: z.string(),
    reason: z.string().nullable(),
    /** What changed: the subject's kind, id and slug, and the changed fields. */
    change: z.unknown(),
    createdAt: Timestamp,
    publishedAt: Timestamp.nullable(),
  })
  .meta({ id: 'Revision' });
export type Revision = z.infer<typeof Revision>;
/** What a revision did to one thing. Of an update only the changed members are shown; ids of others are told as slugs. */
export const RevisionChange = z
  .object({
    kind: z.string(),
    id: z.string(),
    operation: z.enum(['created', 'updated', 'deleted']),
    before: z.record(z.string(), z.unknown()).nullable(),
    after: z.record(z.string(), z.unknown()).nullable(),
  })
  .meta({ id: 'RevisionChange' });
export type RevisionChange = z.infer<typeof RevisionChange>;

/** One revision with its diff: the first 200 of `diffTotal` things that it created, changed or deleted. */
export const RevisionDetail = Revision.extend({
  /** The revision that this one undid. */
  revertOf: z.number().int().nullable(),
  diff: z.array(RevisionChange),
  diffTotal: z.number().int(),
}).meta({ id: 'RevisionDetail' });
export type RevisionDetail = z.infer<typeof RevisionDetail>;

/** Undoes a whole revision, as a new one. */
export const RevertRevision = z
  .strictObject({ reason: Reason.min(1) })
  .meta({ id: 'RevertRevision', examples: [{ reason: 'granted to the wrong team' }] });
export type RevertRevision = z.infer<typeof RevertRevision>;
export const RevisionPage = pageOf(Revision).meta({ id: 'RevisionPage' });

export const Settings = z
  .object({
    staleAfterSeconds: z.number().int().min(30).max(86_400),
    auditRelease: AuditRelease,
    auditLists: z.boolean(),
    auditArgumentBytesMax: z.number().int().min(0).max(1_048_576),
    /** Where agents reach the gateway, as they name it to authorization servers. Needed where there are token issuers. */
    publicUrl: PublicUrl.nullable(),
    /** Whose access tokens agents may call with, beside keys of ours. Which agent a token is of is said by the agents' identities. */
    tokenIssuers: TokenIssuers,
    auditCapture: AuditCapture,
  })
  .meta({ id: 'Settings' });
export type Settings = z.infer<typeof Settings>;

const auditCaptureChange = z.strictObject({ arguments: CaptureOverride.omit({ bytesMax: true }), results: CaptureOverride }).partial();

/** What is left out stays as it is. */
export const SettingsChange = z.strictObject({ ...Settings.shape, auditCapture: auditCaptureChange }).partial();
export type SettingsChange = z.infer<typeof SettingsChange>;
export const UpdateSettings = z
  .strictObject({ ...SettingsChange.shape, reason: Reason.optional() })
  .meta({ id: 'UpdateSettings', examples: [{ auditCapture: { arguments: { mode: 'hashed' } }, reason: 'arguments hold data of customers' }] });
export type UpdateSettings = z.infer<typeof UpdateSettings>;

/** Which line of revisions counts. Within an epoch revisions only grow; a later epoch is newer than any revision of an earlier one. */
export const Epoch = z
  .object({
    epoch: z.number().int(),
    revision: z.number().int(),
    /** The newest policy that nodes are known to follow, where this database does not know it: publishing is held until a new epoch begins. */
    ahead: z.object({ epoch: z.number().int(), revision: z.number().int() }).nullable(),
  })
  .meta({ id: 'Epoch' });
export type Epoch = z.infer<typeof Epoch>;

/** An operator's word that the policy in this database counts, whatever nodes follow now: they go back to it. */
export const CreateEpoch = z
  .strictObject({ reason: Reason.min(1) })
  .meta({ id: 'CreateEpoch', examples: [{ reason: 'Restored from the backup of 02:00' }] });
export type CreateEpoch = z.infer<typeof CreateEpoch>;
