import { z } from 'zod';
import { CallLimitTerms, LimitedTools } from '../limits.js';
import { Id, Slug } from '../names.js';
import { pageOf, pageQuery, Reason, Reference, Timestamp } from './conventions.js';

/** A limit of an agent, of the members of a group together, of a server, or of each of some of its tools: which one never changes. */
export const CreateLimit = z
  .strictObject({
    /** Exactly one of `agent`, `group` and `server`. */
    agent: Reference.optional(),
    group: Reference.optional(),
    server: Reference.optional(),
    /** With `server`: each tool that one of these names has the limit to itself. */
    tools: LimitedTools.optional(),
    terms: CallLimitTerms,
    reason: Reason.optional(),
  })
  .superRefine(({ agent, group, server, tools }, context) => {
    const issue = (member: string, message: string): void => context.addIssue({ code: 'custom', path: [member], message });
    if ([agent, group, server].filter((one) => one !== undefined).length !== 1) issue('agent', 'name either an agent, a group or a server');
    if (tools !== undefined && server === undefined) issue('tools', 'need the server whose tools they are');
  })
  .meta({
    id: 'CreateLimit',
    examples: [
      { agent: 'code-review-agent', terms: { kind: 'quota', calls: 10_000, per: 'day' } },
      { server: 'github', tools: ['create_*'], terms: { kind: 'rate', calls: 30, perSeconds: 60 } },
    ],
  });
export type CreateLimit = z.infer<typeof CreateLimit>;

/** A limit of another kind is another limit: what was counted of the old one says nothing of it. */
export const UpdateLimit = z.strictObject({ terms: CallLimitTerms, tools: LimitedTools, reason: Reason }).partial().meta({ id: 'UpdateLimit' });
export type UpdateLimit = z.infer<typeof UpdateLimit>;

export const Limit = z
  .object({
    id: Id,
    subject: z.union([z.object({ agent: Slug }), z.object({ group: Slug }), z.object({ server: Slug, tools: z.array(z.string()).nullable() })]),
    terms: CallLimitTerms,
    /**
     * What of it is used now, with what nodes hold ready for their next calls; null where that cannot be told: of limits on calls at once, which each node
     * counts by itself, of limits that each of several tools has to itself, and while Redis is away. `spentUntil` is set while there is none left.
     */
    used: z.number().int().nullable(),
    spentUntil: Timestamp.nullable(),
    reason: z.string().nullable(),
    createdBy: z.string(),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  })
  .meta({ id: 'Limit' });
export type Limit = z.infer<typeof Limit>;

export const ListLimitsQuery = z.strictObject({
  ...pageQuery,
  agent: Reference.optional(),
  group: Reference.optional(),
  server: Reference.optional(),
});
export type ListLimitsQuery = z.infer<typeof ListLimitsQuery>;
export const LimitPage = pageOf(Limit).meta({ id: 'LimitPage' });
