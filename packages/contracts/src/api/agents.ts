import { z } from 'zod';
import { Id, Slug, TargetKind, ToolNameStyle } from '../names.js';
import { ClaimValue, IssuerUrl } from '../token-issuers.js';
import { pageOf, pageQuery, Reason, Timestamp } from './conventions.js';

const displayName = z.string().min(1).max(120);

export const CreateAgent = z
  .strictObject({
    slug: Slug,
    name: displayName.optional(),
    /** Who answers for this agent: a team, a mail address. */
    owner: z.string().min(1).max(200).nullable().default(null),
    toolNameStyle: ToolNameStyle.default('double-underscore'),
    reason: Reason.optional(),
  })
  .meta({ id: 'CreateAgent', examples: [{ slug: 'code-review-agent', owner: 'platform team' }] });
export type CreateAgent = z.infer<typeof CreateAgent>;

export const UpdateAgent = z
  .strictObject({
    name: displayName,
    owner: z.string().min(1).max(200).nullable(),
    toolNameStyle: ToolNameStyle,
    enabled: z.boolean(),
    reason: Reason,
  })
  .partial()
  .meta({ id: 'UpdateAgent' });
export type UpdateAgent = z.infer<typeof UpdateAgent>;

export const Agent = z
  .object({
    id: Id,
    slug: Slug,
    name: z.string(),
    owner: z.string().nullable(),
    toolNameStyle: ToolNameStyle,
    enabled: z.boolean(),
    /** Until then its calls are refused: a budget that it counts to is spent. */
    budgetSpentUntil: Timestamp.nullable(),
    groups: z.array(Slug),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  })
  .meta({ id: 'Agent' });
export type Agent = z.infer<typeof Agent>;

export const ListAgentsQuery = z.strictObject({ ...pageQuery, q: z.string().min(1).max(200).optional() });
export type ListAgentsQuery = z.infer<typeof ListAgentsQuery>;
export const AgentPage = pageOf(Agent).meta({ id: 'AgentPage' });

export const CreateAgentKey = z
  .strictObject({ name: displayName.optional(), expiresAt: Timestamp.nullable().default(null) })
  .meta({ id: 'CreateAgentKey' });
export type CreateAgentKey = z.infer<typeof CreateAgentKey>;

export const AgentKey = z
  .object({
    id: z.string(),
    name: z.string().nullable(),
    createdAt: Timestamp,
    expiresAt: Timestamp.nullable(),
    revokedAt: Timestamp.nullable(),
    /** The minute of the last call on record that was made with it, or with a task key of it. */
    lastUsedAt: Timestamp.nullable(),
  })
  .meta({ id: 'AgentKey' });
export type AgentKey = z.infer<typeof AgentKey>;
export const AgentKeyPage = pageOf(AgentKey).meta({ id: 'AgentKeyPage' });

/** `key` is shown here and never again: only its keyed hash is stored. */
export const CreatedAgentKey = AgentKey.extend({ key: z.string() }).meta({ id: 'CreatedAgentKey' });
export type CreatedAgentKey = z.infer<typeof CreatedAgentKey>;

/** Another key in the place of this one, which stays good for so long; 0 ends it at once. The new one lives as long as the old one was to, if nothing else is said. */
export const RotateAgentKey = z
  .strictObject({
    overlapSeconds: z.number().int().min(0).max(2_592_000).default(86_400),
    name: displayName.optional(),
    expiresAt: Timestamp.nullable().optional(),
    reason: Reason.optional(),
  })
  .meta({ id: 'RotateAgentKey', examples: [{ overlapSeconds: 3600, reason: 'quarterly' }] });
export type RotateAgentKey = z.infer<typeof RotateAgentKey>;

export const RotatedAgentKey = CreatedAgentKey.extend({ replaced: AgentKey }).meta({ id: 'RotatedAgentKey' });
export type RotatedAgentKey = z.infer<typeof RotatedAgentKey>;

/** What an issuer calls this agent: the value of the claim that the issuer's entry in the settings names. */
export const CreateAgentIdentity = z
  .strictObject({ issuer: IssuerUrl, subject: ClaimValue, reason: Reason.optional() })
  .meta({ id: 'CreateAgentIdentity', examples: [{ issuer: 'https://login.example.com', subject: 'code-review-client' }] });
export type CreateAgentIdentity = z.infer<typeof CreateAgentIdentity>;

export const AgentIdentity = z.object({ id: Id, issuer: z.string(), subject: z.string(), createdAt: Timestamp }).meta({ id: 'AgentIdentity' });
export type AgentIdentity = z.infer<typeof AgentIdentity>;
export const AgentIdentityPage = pageOf(AgentIdentity).meta({ id: 'AgentIdentityPage' });

export const CreateGroup = z.strictObject({ slug: Slug, name: displayName.optional(), reason: Reason.optional() }).meta({ id: 'CreateGroup' });
export type CreateGroup = z.infer<typeof CreateGroup>;

export const Group = z.object({ id: Id, slug: Slug, name: z.string(), memberCount: z.number().int(), createdAt: Timestamp }).meta({ id: 'Group' });
export type Group = z.infer<typeof Group>;
export const GroupPage = pageOf(Group).meta({ id: 'GroupPage' });

/** One thing an agent can see and call now. */
export const Access = z
  .object({
    ref: z.string(),
    kind: TargetKind,
    /** The name under which this agent sees it. */
    wireName: z.string(),
    effect: z.enum(['allow', 'conditional']),
    /** The grant that speaks, the group through which it does (null: it is the agent's own), what it asks of the arguments, and until when. */
    grantId: Id,
    group: Slug.nullable(),
    condition: z.string().nullable(),
    expiresAt: Timestamp.nullable(),
  })
  .meta({ id: 'Access' });
export type Access = z.infer<typeof Access>;

export const AccessQuery = z.strictObject({ ...pageQuery, kind: TargetKind.optional() });
export type AccessQuery = z.infer<typeof AccessQuery>;

/** Effective access. `hints` says in words what keeps granted things from showing (waiting for approval, disabled, …). */
export const AccessPage = pageOf(Access)
  .extend({ hints: z.array(z.string()) })
  .meta({ id: 'AccessPage' });
export type AccessPage = z.infer<typeof AccessPage>;
