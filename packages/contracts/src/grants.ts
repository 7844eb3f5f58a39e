import { z } from 'zod';

/** A server's tag. */
export const Tag = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$/, 'must be 1–64 letters, digits and . _ : -, and begin with a letter or digit');

/** A server's environment. */
export const Environment = z.string().min(1).max(64);

/** What a tool says about itself (MCP `ToolAnnotations`). */
export const AnnotationHint = z.enum(['readOnlyHint', 'destructiveHint', 'idempotentHint', 'openWorldHint']);
export type AnnotationHint = z.infer<typeof AnnotationHint>;

const hints = z.strictObject({ readOnlyHint: z.boolean(), destructiveHint: z.boolean(), idempotentHint: z.boolean(), openWorldHint: z.boolean() });
const tagList = z.array(Tag).min(1).max(50);

/**
 * Which servers, and which of their tools, a grant is about; every member given must hold, so an empty selector is about all servers.
 * Annotations are those of the approved definition, with MCP's defaults where it says nothing, and concern tools alone. Strict in the
 * snapshot too: a constraint that a node does not know must not be overlooked.
 */
export const TargetSelector = z
  .strictObject({
    tags: z.strictObject({ allOf: tagList.optional(), anyOf: tagList.optional() }).optional(),
    environment: Environment.optional(),
    annotations: hints.partial().optional(),
  })
  .meta({ id: 'TargetSelector' });
export type TargetSelector = z.infer<typeof TargetSelector>;

/** Longest CEL text of a condition. */
export const CONDITION_CHARS_MAX = 4096;

/** CEL over `args`, `tool`, `server` and `agent`; the grant counts where it is true. docs/policy-conditions.md says what it may use. */
export const Condition = z.string().min(1).max(CONDITION_CHARS_MAX);

/** Arguments that the agent neither sees nor chooses: top-level name to constant. */
export const PinnedArguments = z.record(z.string().min(1).max(256), z.json());
export type PinnedArguments = z.infer<typeof PinnedArguments>;

/** At most so many calls under this grant in any so many seconds, for each agent it speaks to. */
export const GrantRateLimit = z
  .strictObject({ calls: z.number().int().min(1).max(1_000_000), perSeconds: z.number().int().min(1).max(86_400) })
  .meta({ id: 'GrantRateLimit' });
export type GrantRateLimit = z.infer<typeof GrantRateLimit>;

/** `shadow` changes no answer: the audit trail records where the decision would have been another. */
export const GrantMode = z.enum(['enforce', 'shadow']);
export type GrantMode = z.infer<typeof GrantMode>;
