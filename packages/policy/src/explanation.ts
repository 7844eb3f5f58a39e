import type { DefinitionState } from '@portcullis/contracts/api/servers';
import type { Id } from '@portcullis/contracts/names';
import type { AgentEntry, GrantEntry } from '@portcullis/contracts/snapshot';
import type { Narrowing } from '@portcullis/contracts/task-keys';
import type { Decision, JsonObject, Target } from './decision.js';
import type { ServerFacts } from './selector.js';

/** What is known about an agent and a target. `named` is how the person who asks calls them. */
export interface ExplainFacts {
  readonly named: { readonly agent: string; readonly server: string };
  /** Null: there is no such agent. */
  readonly agent: AgentEntry | null;
  /** Null: there is no such server. */
  readonly server: (ServerFacts & { readonly enabled: boolean }) | null;
  readonly target: Pick<Target, 'kind' | 'name' | 'uri'>;
  /** Null: discovery never saw it. `served`: nodes have an approved form of it, which a `changed` definition may keep; `json` is that form. */
  readonly definition: { readonly state: DefinitionState; readonly served: boolean; readonly json: string } | null;
  /** Grants of the agent and its groups, of all servers, for the hint about the nearest. Others are ignored. */
  readonly grants: readonly GrantEntry[];
  readonly args?: JsonObject | undefined;
  /** What the key of a task leaves of it; undefined for an agent's own key. */
  readonly task?: Narrowing | undefined;
  /** Limits on such a call that have nothing left. */
  readonly spentLimits?: readonly SpentLimit[];
  /** Epoch milliseconds. */
  readonly now: number;
}

/** A limit of calls that is used up until then (epoch milliseconds). `grantId`: it counts where that grant decides. */
export interface SpentLimit {
  readonly whose: string;
  readonly terms: string;
  readonly until: number;
  readonly grantId: Id | null;
}

export interface ExplainStep {
  readonly code: string;
  readonly text: string;
  readonly grantId: Id | null;
}

/** Why an agent may or may not use a target: the chain of rules first to last, and what an operator could do about it. */
export interface Explanation {
  readonly effect: Decision['effect'];
  readonly visible: boolean;
  readonly grantId: Id | null;
  readonly steps: readonly ExplainStep[];
  readonly hints: readonly string[];
}
