import type { CallLimitEntry, CallLimitTerms } from '@portcullis/contracts/limits';
import type { AgentEntry, ServerEntry } from '@portcullis/contracts/snapshot';
import { compileGlob, type Decision } from '@portcullis/policy';
import type { VisibleTarget } from '../view/agent-view.js';

/** A limit that a call counts to, and the name under which it is counted. */
export interface AppliedLimit {
  /** Null: it is the rate limit of the grant that decides. */
  readonly id: string | null;
  readonly key: string;
  readonly terms: CallLimitTerms;
}

const NONE: readonly AppliedLimit[] = [];

/** Whether a call counts to any limit: a look at three members, for those of no limit too. */
export const isLimited = ({ rateLimit }: Decision, { callLimits: ofAgent }: AgentEntry, { callLimits: ofServer }: ServerEntry): boolean =>
  rateLimit !== null || ofAgent !== undefined || ofServer !== undefined;

/** The limits that a call counts to: first those of its agent, which concern nobody else. */
export function limitsOn({ grantId, rateLimit }: Decision, agent: AgentEntry, { server, definition }: VisibleTarget): AppliedLimit[] {
  const ofAgent = agent.callLimits === undefined ? NONE : limitsOfAgent(agent.callLimits);
  const ofServer = server.callLimits === undefined ? NONE : limitsOfTarget(server.callLimits, definition);
  const ofGrant = grantId === null || rateLimit === null ? NONE : [limitOfGrant(grantId, agent.id, rateLimit)];
  return [...ofAgent, ...ofGrant, ...ofServer];
}

const limitOfGrant = (grantId: string, agentId: string, rateLimit: NonNullable<Decision['rateLimit']>): AppliedLimit => ({
  id: null,
  key: `${grantId}:${agentId}`,
  terms: { kind: 'rate', ...rateLimit },
});

const applied = ({ id, terms }: CallLimitEntry, key = id): AppliedLimit => ({ id, key, terms });

// By the entries of the snapshot, which stay the same objects while they say the same.
const ofAgents = new WeakMap<readonly CallLimitEntry[], readonly AppliedLimit[]>();
const ofServers = new WeakMap<readonly CallLimitEntry[], TargetLimits>();

function limitsOfAgent(entries: readonly CallLimitEntry[]): readonly AppliedLimit[] {
  const known = ofAgents.get(entries) ?? entries.map((entry) => applied(entry));
  ofAgents.set(entries, known);
  return known;
}

function limitsOfTarget(entries: readonly CallLimitEntry[], definition: VisibleTarget['definition']): readonly AppliedLimit[] {
  const known = ofServers.get(entries) ?? new TargetLimits(entries);
  ofServers.set(entries, known);
  return definition.kind === 'tool' ? known.ofTool(definition.name) : known.ofAll;
}

class TargetLimits {
  readonly ofAll: readonly AppliedLimit[];
  private readonly matching: readonly { readonly entry: CallLimitEntry; readonly matches: (name: string) => boolean }[];
  /** By the name of an approved tool. */
  private readonly ofTools = new Map<string, readonly AppliedLimit[]>();

  constructor(entries: readonly CallLimitEntry[]) {
    this.ofAll = entries.filter(({ tools }) => tools === undefined).map((entry) => applied(entry));
    this.matching = entries.flatMap((entry) => {
      const globs = entry.tools?.map(compileGlob);
      return globs === undefined ? [] : [{ entry, matches: (name) => globs.some((matches) => matches(name)) }];
    });
  }

  ofTool(name: string): readonly AppliedLimit[] {
    const known = this.ofTools.get(name) ?? this.find(name);
    this.ofTools.set(name, known);
    return known;
  }

  private find(name: string): readonly AppliedLimit[] {
    const own = this.matching.filter(({ matches }) => matches(name)).map(({ entry }) => applied(entry, `${entry.id}:${name}`));
    return [...own, ...this.ofAll];
  }
}
