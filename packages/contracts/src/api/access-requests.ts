import { z } from 'zod';
import { Condition } from '../grants.js';
import { Id, Slug, TargetKind } from '../names.js';
import { pageOf, pageQuery, Reason, Reference, Timestamp } from './conventions.js';
import { aboutFaults, addFaults, shownAbout, wantedAbout } from './rule-about.js';

const NamePattern = z.string().min(1).max(2048);

export const REQUEST_SECONDS_MIN = 60;
export const REQUEST_SECONDS_MAX = 30 * 86_400;
const Seconds = z.number().int().min(REQUEST_SECONDS_MIN).max(REQUEST_SECONDS_MAX);

/** Longest text of why somebody asks or decides. */
export const REQUEST_REASON_CHARS_MAX = 500;
const Why = z.string().trim().min(1).max(REQUEST_REASON_CHARS_MAX);

const secondsIn = { m: 60, h: 3600, d: 86_400 } as const;

/** `30m`, `8h`, `2d`, in seconds. */
export const DurationText = z
  .string()
  .regex(/^[1-9]\d{0,4}[mhd]$/, 'must be a number followed by m, h or d, such as 8h')
  .transform((text) => Number(text.slice(0, -1)) * secondsIn[text.slice(-1) as keyof typeof secondsIn])
  .refine((seconds) => seconds >= REQUEST_SECONDS_MIN && seconds <= REQUEST_SECONDS_MAX, 'must be from 1m to 30d');

const ruleFields = {
  kind: TargetKind.default('tools'),
  /** Exact names, or globs in which `*` stands for any run of characters. */
  names: z.array(NamePattern).min(1).max(1000),
  /** Longest time that may be asked for. */
  durationSecondsMax: Seconds.default(86_400),
  reason: Reason.optional(),
};

/**
 * A rule: this agent, or each member of this group, may ask for access to these names of one server or of what a selector selects. Annotations are
 * those of the approved definition, so a rule with some lets nobody ask for a tool that is not approved.
 */
export const CreateRequestable = z
  .strictObject({
    ...wantedAbout,
    ...ruleFields,
  })
  .superRefine((rule, context) => {
    addFaults(context, aboutFaults(rule));
    if (rule.selector?.annotations !== undefined && rule.kind !== 'tools')
      addFaults(context, [{ member: 'selector', message: 'only tools have annotations' }]);
  })
  .meta({ id: 'CreateRequestable', examples: [{ group: 'developers', server: 'github', names: ['create_*'], durationSecondsMax: 28_800 }] });
export type CreateRequestable = z.infer<typeof CreateRequestable>;

export const UpdateRequestable = z
  .strictObject({ names: ruleFields.names, durationSecondsMax: Seconds, reason: Reason })
  .partial()
  .meta({ id: 'UpdateRequestable' });
export type UpdateRequestable = z.infer<typeof UpdateRequestable>;

export const Requestable = z
  .object({
    id: Id,
    ...shownAbout,
    durationSecondsMax: z.number().int(),
    reason: z.string().nullable(),
    createdBy: z.string(),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  })
  .meta({ id: 'Requestable' });
export type Requestable = z.infer<typeof Requestable>;
export const ListRequestableQuery = z.strictObject({
  ...pageQuery,
  agent: Reference.optional(),
  group: Reference.optional(),
  server: Reference.optional(),
});
export type ListRequestableQuery = z.infer<typeof ListRequestableQuery>;
export const RequestablePage = pageOf(Requestable).meta({ id: 'RequestablePage' });

/** `open` until somebody decides, it is withdrawn, or nobody decided within a week. */
export const AccessRequestStatus = z.enum(['open', 'approved', 'denied', 'withdrawn', 'expired']);
export type AccessRequestStatus = z.infer<typeof AccessRequestStatus>;

/** A person asks for an agent. What agents ask for themselves has to be requestable; people may ask for anything that is registered. */
export const CreateAccessRequest = z
  .strictObject({
    agent: Reference,
    server: Reference,
    kind: TargetKind.default('tools'),
    names: z.array(NamePattern).min(1).max(20),
    /** How long the access should last from the moment it is approved. */
    durationSeconds: Seconds,
    reason: Why,
  })
  .meta({
    id: 'CreateAccessRequest',
    examples: [{ agent: 'data-agent', server: 'github', names: ['create_issue'], durationSeconds: 28_800, reason: 'triage of the outage' }],
  });
export type CreateAccessRequest = z.infer<typeof CreateAccessRequest>;

export const AccessRequest = z
  .object({
    id: Id,
    agent: Slug,
    server: Slug,
    kind: TargetKind,
    names: z.array(z.string()),
    durationSeconds: z.number().int(),
    reason: z.string(),
    status: AccessRequestStatus,
    /** The operator who filed it; null where the agent asked. */
    filedBy: z.string().nullable(),
    createdAt: Timestamp,
    /** When it ends if nobody decides. */
    expiresAt: Timestamp,
    decidedBy: z.string().nullable(),
    decidedAt: Timestamp.nullable(),
    decisionReason: z.string().nullable(),
    /** The grant it was approved with. */
    grantId: Id.nullable(),
  })
  .meta({ id: 'AccessRequest' });
export type AccessRequest = z.infer<typeof AccessRequest>;
export const AccessRequestPage = pageOf(AccessRequest).meta({ id: 'AccessRequestPage' });

export const ListAccessRequestsQuery = z.strictObject({
  ...pageQuery,
  agent: Reference.optional(),
  status: AccessRequestStatus.optional(),
});
export type ListAccessRequestsQuery = z.infer<typeof ListAccessRequestsQuery>;

/** What is left out is as asked. It may be narrowed and shortened, never widened. */
export const ApproveAccessRequest = z
  .strictObject({
    reason: Why,
    /** Each within what was asked. */
    names: z.array(NamePattern).min(1).max(20).optional(),
    /** No longer than asked. */
    durationSeconds: Seconds.optional(),
    condition: Condition.optional(),
  })
  .meta({ id: 'ApproveAccessRequest', examples: [{ reason: 'agreed with the owner', durationSeconds: 3600 }] });
export type ApproveAccessRequest = z.infer<typeof ApproveAccessRequest>;

export const DenyAccessRequest = z.strictObject({ reason: Why }).meta({ id: 'DenyAccessRequest' });
export type DenyAccessRequest = z.infer<typeof DenyAccessRequest>;

/** One fact of a request's life. `used` stands for all calls under its grant. */
export const ThreadEntry = z.object({
  at: Timestamp,
  event: z.enum([
    'filed',
    'withdrawn',
    'expired',
    'denied',
    'approved',
    'granted',
    'grant-changed',
    'first-used',
    'last-used',
    'grant-expired',
    'grant-ended',
  ]),
  /** An operator, an agent, or a part of the system. */
  by: z.string(),
  detail: z.string().nullable(),
  /** The audit event that says so. */
  callId: Id.nullable(),
});
export type ThreadEntry = z.infer<typeof ThreadEntry>;

/** From the asking to the last use, in order of time. */
export const AccessRequestThread = z
  .object({
    request: AccessRequest,
    entries: z.array(ThreadEntry),
    /** Calls under the grant. */
    uses: z.number().int(),
  })
  .meta({ id: 'AccessRequestThread' });
export type AccessRequestThread = z.infer<typeof AccessRequestThread>;
