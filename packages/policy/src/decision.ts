import type { Id, TargetKind } from '@portcullis/contracts/names';

/** What a call names: one tool, prompt or resource of one server, under the server's own name for it. */
export interface Target {
  readonly serverId: Id;
  readonly kind: TargetKind;
  readonly name: string;
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
  /** The agent itself is switched off. */
  agentDisabled: 'agent_disabled',
} as const;

export type ReasonCode = (typeof reasonCodes)[keyof typeof reasonCodes];

export interface Reason {
  readonly code: ReasonCode;
  readonly grantId: Id | null;
}

/**
 * The answer to "may this agent use this target now?". `conditional` is reserved for argument constraints: the call's arguments will decide;
 * today no decision is conditional. `grantId` is the grant that decided, null when there is none.
 */
export interface Decision {
  readonly effect: 'allow' | 'deny' | 'conditional';
  readonly reasons: readonly Reason[];
  readonly grantId: Id | null;
}
