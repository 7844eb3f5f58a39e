import { z } from 'zod';
import { CallLimitTerms } from '../limits.js';
import { Id, Slug, TargetKind } from '../names.js';
import { CreateAgent, CreateGroup, UpdateAgent } from './agents.js';
import { CreateRequestable, UpdateRequestable } from './access-requests.js';
import { CURSOR_CHARS_MAX, Reason, Reference, Timestamp } from './conventions.js';
import { CreateGrant, UpdateGrant } from './grants.js';
import { CreateLimit, Limit, UpdateLimit } from './limits.js';
import { RevisionChange, SettingsChange } from './policy.js';
import { DecideDefinitions, UpdateServer } from './servers.js';

const change = <Do extends string, Shape extends z.core.$ZodShape>(what: Do, shape: Shape) => z.strictObject({ do: z.literal(what), ...shape });

/** One change of a draft: what the route of the same name would do. */
export const DraftChange = z
  .discriminatedUnion('do', [
    change('grant.create', { grant: CreateGrant }),
    change('grant.update', { id: Id, change: UpdateGrant }),
    change('grant.delete', { id: Id }),
    change('requestable.create', { rule: CreateRequestable }),
    change('requestable.update', { id: Id, change: UpdateRequestable }),
    change('requestable.delete', { id: Id }),
    change('limit.create', { limit: CreateLimit }),
    change('limit.update', { id: Id, change: UpdateLimit }),
    change('limit.delete', { id: Id }),
    change('group-member.add', { group: Reference, agent: Reference }),
    change('group-member.remove', { group: Reference, agent: Reference }),
    change('group.create', { group: CreateGroup }),
    change('group.delete', { group: Reference }),
    change('agent.create', { agent: CreateAgent }),
    change('agent.update', { agent: Reference, change: UpdateAgent }),
    change('agent.delete', { agent: Reference }),
    change('server.update', {
      server: Reference,
      change: UpdateServer.pick({ tags: true, environment: true, enabled: true, protocol: true, auditCapture: true, answerRules: true }),
    }),
    change('definitions.approve', { server: Reference, definitions: DecideDefinitions }),
    change('definitions.reject', { server: Reference, definitions: DecideDefinitions }),
    change('settings.update', { change: SettingsChange }),
  ])
  .meta({ id: 'DraftChange' });
export type DraftChange = z.infer<typeof DraftChange>;

const changes = z.array(DraftChange).min(1).max(1000);
const draftExample = [{ do: 'grant.create' as const, grant: { group: 'analysts', server: 'postgres', names: ['query'] } }];

/** `POST /v1/policy/preview`: what would change if this draft were applied. `days` is how far back recorded calls are decided again. */
export const PreviewRequest = z
  .strictObject({ changes, days: z.number().int().min(0).max(90).default(7) })
  .meta({ id: 'PreviewRequest', examples: [{ changes: draftExample }] });
export type PreviewRequest = z.infer<typeof PreviewRequest>;

/** One page at a time of each list; with a cursor only the list that it came from goes on, at the same revision. */
export const PreviewQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().min(1).max(CURSOR_CHARS_MAX).optional(),
});
export type PreviewQuery = z.infer<typeof PreviewQuery>;

const Effect = z.enum(['allow', 'deny', 'conditional']);

/** An agent and something that it would gain, lose, or may use on other conditions. Null: there is no such grant. */
export const AccessShift = z
  .object({
    agent: Slug,
    kind: TargetKind,
    ref: z.string(),
    before: Effect,
    after: Effect,
    grantBefore: Id.nullable(),
    grantAfter: Id.nullable(),
  })
  .meta({ id: 'AccessShift' });
export type AccessShift = z.infer<typeof AccessShift>;

const shifts = z.object({ count: z.number().int(), items: z.array(AccessShift), nextCursor: z.string().nullable() });

export const FlippedCall = z
  .object({
    callId: Id,
    timestamp: Timestamp,
    agent: z.string(),
    ref: z.string(),
    kind: TargetKind,
    /** What the trail says, and what policy says of the call now and would say. */
    recorded: z.enum(['allow', 'deny']),
    before: z.enum(['allow', 'deny']),
    after: z.enum(['allow', 'deny']),
  })
  .meta({ id: 'FlippedCall' });
export type FlippedCall = z.infer<typeof FlippedCall>;

/** Recorded calls decided again, by policy as it is and as it would be. */
export const CallFlips = z
  .object({
    days: z.number().int(),
    /** Calls of the agents and servers that the draft concerns. */
    calls: z.number().int(),
    allowedToDenied: z.number().int(),
    deniedToAllowed: z.number().int(),
    /** The arguments decide, and they were not kept whole. */
    undecidable: z.number().int(),
    /** The arguments decide, and there were more such calls than are looked at one by one. */
    unexamined: z.number().int(),
    samples: z.array(FlippedCall),
  })
  .meta({ id: 'CallFlips' });
export type CallFlips = z.infer<typeof CallFlips>;

/** A limit that the draft makes (`before` is null), changes or takes away (`after` is null), and what the trail says of it. */
export const LimitShift = z
  .object({
    /** Null of one that is still to be made. */
    id: Id.nullable(),
    subject: Limit.shape.subject,
    before: CallLimitTerms.nullable(),
    after: CallLimitTerms.nullable(),
    /** Recorded calls that it refused. */
    refused: z.number().int(),
    /** Recorded calls that would count to it: those that were allowed, and those that some limit refused. Null where it goes. */
    calls: z.number().int().nullable(),
    /**
     * At least so many of these it would have refused by itself: what was beyond it in each day or month, or in windows of a rate laid end to end.
     * Null where the trail cannot tell, of calls at once, and where it goes.
     */
    beyond: z.number().int().nullable(),
  })
  .meta({ id: 'LimitShift' });
export type LimitShift = z.infer<typeof LimitShift>;

export const Preview = z
  .object({
    /** The policy that the draft was held against. */
    revision: z.number().int(),
    gained: shifts,
    lost: shifts,
    /** Use on other conditions than before: the arguments decide now, or did before, or by another rule. */
    conditional: shifts,
    /** With the first page only. */
    calls: CallFlips.nullable(),
    /** Limits of calls, the first 20 of `count`, over as many days as `calls`; with the first page only. */
    limits: z.object({ count: z.number().int(), items: z.array(LimitShift) }).nullable(),
  })
  .meta({ id: 'Preview' });
export type Preview = z.infer<typeof Preview>;

/** `POST /v1/policy/apply`: the same changes, all in one revision or none. */
export const ApplyRequest = z
  .strictObject({ changes, reason: Reason.min(1) })
  .meta({ id: 'ApplyRequest', examples: [{ changes: draftExample, reason: 'analysts take over reporting' }] });
export type ApplyRequest = z.infer<typeof ApplyRequest>;

export const ApplyResult = z
  .object({
    /** The revision that holds the changes; of a dry run, the one it was held against. */
    revision: z.number().int(),
    /** How many of the changes changed something; the others were so already. */
    changed: z.number().int(),
    /** What changed or would change: the first 200 of `diffTotal`. */
    diff: z.array(RevisionChange),
    diffTotal: z.number().int(),
    /** Of a dry run: who would gain and lose what. */
    preview: Preview.nullable(),
  })
  .meta({ id: 'ApplyResult' });
export type ApplyResult = z.infer<typeof ApplyResult>;
