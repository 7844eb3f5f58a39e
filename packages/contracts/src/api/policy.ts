import { z } from 'zod';
import { Id, Slug, TargetKind } from '../names.js';
import { AuditRelease } from '../snapshot.js';
import { pageOf, pageQuery, Reason, Reference, Timestamp } from './conventions.js';

const NamePattern = z.string().min(1).max(2048);

const grantFields = {
  server: Reference,
  kind: TargetKind.default('tools'),
  /** Exact names, or globs in which `*` stands for any run of characters. */
  names: z.array(NamePattern).min(1).max(1000),
  effect: z.enum(['allow', 'deny']).default('allow'),
  notBefore: Timestamp.nullable().default(null),
  expiresAt: Timestamp.nullable().default(null),
  reason: Reason.optional(),
};

/** A rule: this agent, or each member of this group, may (or may not) use these names of this server. */
export const CreateGrant = z
  .union([z.strictObject({ agent: Reference, ...grantFields }), z.strictObject({ group: Reference, ...grantFields })])
  .meta({ id: 'CreateGrant', examples: [{ agent: 'code-review-agent', server: 'github', names: ['create_issue'] }] });
export type CreateGrant = z.infer<typeof CreateGrant>;

export const UpdateGrant = z
  .strictObject({
    names: z.array(NamePattern).min(1).max(1000),
    notBefore: Timestamp.nullable(),
    expiresAt: Timestamp.nullable(),
    reason: Reason,
  })
  .partial()
  .meta({ id: 'UpdateGrant' });
export type UpdateGrant = z.infer<typeof UpdateGrant>;

export const Grant = z
  .object({
    id: Id,
    subject: z.union([z.object({ agent: Slug }), z.object({ group: Slug })]),
    server: Slug,
    kind: TargetKind,
    names: z.array(z.string()),
    effect: z.enum(['allow', 'deny']),
    notBefore: Timestamp.nullable(),
    expiresAt: Timestamp.nullable(),
    reason: z.string().nullable(),
    createdBy: z.string(),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  })
  .meta({ id: 'Grant' });
export type Grant = z.infer<typeof Grant>;

export const ListGrantsQuery = z.strictObject({
  ...pageQuery,
  agent: Reference.optional(),
  group: Reference.optional(),
  server: Reference.optional(),
});
export type ListGrantsQuery = z.infer<typeof ListGrantsQuery>;
export const GrantPage = pageOf(Grant).meta({ id: 'GrantPage' });

/** `target` is canonical: `server:name`. */
export const ExplainRequest = z
  .strictObject({
    agent: Reference,
    target: z.string().min(3).max(2200),
    kind: TargetKind.default('tools'),
    arguments: z.record(z.string(), z.unknown()).optional(),
  })
  .meta({ id: 'ExplainRequest', examples: [{ agent: 'data-agent', target: 'postgres:query' }] });
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
export const RevisionPage = pageOf(Revision).meta({ id: 'RevisionPage' });

export const Settings = z
  .object({
    staleAfterSeconds: z.number().int().min(30).max(86_400),
    auditRelease: AuditRelease,
    auditLists: z.boolean(),
    auditArgumentBytesMax: z.number().int().min(0).max(1_048_576),
  })
  .meta({ id: 'Settings' });
export type Settings = z.infer<typeof Settings>;
export const UpdateSettings = z
  .strictObject({ ...Settings.shape, reason: Reason })
  .partial()
  .meta({ id: 'UpdateSettings' });
export type UpdateSettings = z.infer<typeof UpdateSettings>;
