import type { GrantRateLimit, PinnedArguments } from '@portcullis/contracts/grants';
import type { Id, TargetKind } from '@portcullis/contracts/names';
import type { DefinitionFacts, ServerFacts } from './selector.js';

/** What a call names: one tool, prompt or resource of one server, under the server's own name for it. */
export interface Target {
  readonly server: ServerFacts;
  readonly kind: TargetKind;
  readonly name: string;
  /** The resource asked for, where `name` is that of the template it comes from. What denies this very URI denies the target too. */
  readonly uri?: string | undefined;
  /** The approved definition, by whose annotations selectors choose; without one MCP's defaults hold. */
  readonly definition?: DefinitionFacts | undefined;
}

/** The parsed arguments of a call. */
export type JsonObject = { readonly [member: string]: unknown };

/** Why a decision fell as it did. Codes are stable: audit events and explanations carry them. */
export const reasonCodes = {
  /** An allowing grant is in force and no denying one. */
  granted: 'granted',
  /** A denying grant is in force; no allowing grant can outweigh it. */
  deniedByGrant: 'denied_by_grant',
  /** No grant of the agent or its groups names the target. */
  noGrant: 'no_grant',
  /** An allowing grant names the target but is not in force before its `notBefore`. */
  notYetValid: 'not_yet_valid',
  /** An allowing grant named the target until its `expiresAt`. */
  expired: 'expired',
  /** The agent may, but the key of its task may not. */
  outsideTask: 'outside_task',
  /** The agent itself is switched off. */
  agentDisabled: 'agent_disabled',
  /** The arguments will decide. */
  conditional: 'conditional',
  /** The condition of an allowing grant does not hold for these arguments. */
  conditionFalse: 'condition_false',
  /** A condition cannot be said of these arguments: an allowing grant does not count then, a denying one does. */
  conditionError: 'condition_error',
  /** An argument that the grant pins was sent with another value. */
  pinnedArgument: 'pinned_argument',
  /** The condition of a denying grant holds for these arguments. */
  deniedByCondition: 'denied_by_condition',
} as const;

export type ReasonCode = (typeof reasonCodes)[keyof typeof reasonCodes];

export interface Reason {
  readonly code: ReasonCode;
  readonly grantId: Id | null;
}

/**
 * The answer to "may this agent use this target now?"; `conditional` where the arguments will decide and none were given. `grantId` is the grant
 * that decided, null when there is none.
 */
export interface Decision {
  readonly effect: 'allow' | 'deny' | 'conditional';
  readonly reasons: readonly Reason[];
  readonly grantId: Id | null;
  /** What is refused: the target itself, which is then as good as unknown, or only these arguments of it. */
  readonly refused: 'target' | 'arguments' | null;
  /** Arguments to forward beside those sent, when this grant decides. */
  readonly pinned: PinnedArguments | null;
  /** How many such calls there may be under this grant, when it decides; counted by whoever forwards them. */
  readonly rateLimit: GrantRateLimit | null;
}
