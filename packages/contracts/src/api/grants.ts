import { z } from 'zod';
import { Condition, GrantMode, GrantRateLimit, PinnedArguments, TargetSelector } from '../grants.js';
import { Id, TargetKind } from '../names.js';
import { pageOf, pageQuery, Reason, Reference, Timestamp } from './conventions.js';
import { aboutFaults, addFaults, shownAbout, wantedAbout, type RuleFault } from './rule-about.js';

const NamePattern = z.string().min(1).max(2048);

const PINNED_MAX = 50;
const PINNED_CHARS_MAX = 16_384;

const Pinned = PinnedArguments.refine((pinned) => Object.keys(pinned).length > 0, 'must name an argument')
  .refine((pinned) => Object.keys(pinned).length <= PINNED_MAX, `must not be more than ${PINNED_MAX} arguments`)
  .refine((pinned) => JSON.stringify(pinned).length <= PINNED_CHARS_MAX, `must not be longer than ${PINNED_CHARS_MAX} characters of JSON`);

interface Terms {
  readonly kind: TargetKind;
  readonly effect: 'allow' | 'deny';
  readonly selector?: TargetSelector | null | undefined;
  readonly condition?: string | null | undefined;
  readonly pinned?: PinnedArguments | null | undefined;
  readonly rateLimit?: GrantRateLimit | null | undefined;
}

/** Terms of a grant that cannot be meant, each with the member it is in. */
export function termFaults({ kind, effect, selector, condition, pinned, rateLimit }: Terms): readonly RuleFault[] {
  const faults: RuleFault[] = [];
  const fault = (member: string, message: string): number => faults.push({ member, message });
  if (selector?.annotations !== undefined && kind !== 'tools') fault('selector', 'only tools have annotations');
  if (condition && kind === 'resources') fault('condition', 'resources have no arguments');
  if (pinned && kind !== 'tools') fault('pinned', 'only arguments of tools can be pinned');
  if (pinned && effect === 'deny') fault('pinned', 'a denying grant has no arguments to pin');
  if (rateLimit && effect === 'deny') fault('rateLimit', 'a denying grant has no calls to limit');
  return faults;
}

/** A rule: this agent, or each member of this group, may (or may not) use these names of one server, or of what a selector selects. */
export const CreateGrant = z
  .strictObject({
    ...wantedAbout,
    kind: TargetKind.default('tools'),
    /** Exact names, or globs in which `*` stands for any run of characters. */
    names: z.array(NamePattern).min(1).max(1000),
    effect: z.enum(['allow', 'deny']).default('allow'),
    condition: Condition.nullable().default(null),
    pinned: Pinned.nullable().default(null),
    rateLimit: GrantRateLimit.nullable().default(null),
    mode: GrantMode.default('enforce'),
    notBefore: Timestamp.nullable().default(null),
    expiresAt: Timestamp.nullable().default(null),
    reason: Reason.optional(),
  })
  .superRefine((grant, context) => addFaults(context, [...aboutFaults(grant), ...termFaults(grant)]))
  .meta({
    id: 'CreateGrant',
    examples: [
      { agent: 'code-review-agent', server: 'github', names: ['create_issue'], condition: 'args.repo.startsWith("acme/")' },
      { group: 'analysts', selector: { tags: { anyOf: ['data'] }, annotations: { readOnlyHint: true } }, names: ['*'] },
    ],
  });
export type CreateGrant = z.infer<typeof CreateGrant>;

/** What a grant is: another subject, target, kind or effect is another grant, with an id, a history and a record of its own. */
const GRANT_IS: ReadonlySet<string> = new Set(['agent', 'group', 'server', 'selector', 'kind', 'effect']);
const STAYS = 'is what the grant is and stays: delete it and create another, which POST /v1/policy/apply does in one revision';

/** Subject, target, kind and effect are what a grant is; the rest may change. */
export const UpdateGrant = z
  .strictObject(
    {
      names: z.array(NamePattern).min(1).max(1000),
      condition: Condition.nullable(),
      pinned: Pinned.nullable(),
      rateLimit: GrantRateLimit.nullable(),
      mode: GrantMode,
      notBefore: Timestamp.nullable(),
      expiresAt: Timestamp.nullable(),
      reason: Reason,
    },
    { error: ({ code, keys }) => (code === 'unrecognized_keys' && keys.every((key) => GRANT_IS.has(key)) ? STAYS : undefined) },
  )
  .partial()
  .meta({ id: 'UpdateGrant' });
export type UpdateGrant = z.infer<typeof UpdateGrant>;

export const Grant = z
  .object({
    id: Id,
    ...shownAbout,
    effect: z.enum(['allow', 'deny']),
    condition: z.string().nullable(),
    pinned: PinnedArguments.nullable(),
    rateLimit: GrantRateLimit.nullable(),
    mode: GrantMode,
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
  /** Grants that name this server; those whose selector selects it are not among them. */
  server: Reference.optional(),
  mode: GrantMode.optional(),
});
export type ListGrantsQuery = z.infer<typeof ListGrantsQuery>;
export const GrantPage = pageOf(Grant).meta({ id: 'GrantPage' });
