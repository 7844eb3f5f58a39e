import type { Id } from '@portcullis/contracts/names';
import type { AgentEntry, GrantEntry } from '@portcullis/contracts/snapshot';
import { compileTable, type PolicyTable } from '@portcullis/policy';
import type { PolicyView } from './policy-view.js';

/**
 * The rules of many agents, compiled once for all who have the same: agents that are in the same groups and have no grants of their own for a
 * server have the same rules there.
 */
export class AgentRules {
  private readonly agents: ReadonlyMap<Id, AgentEntry>;
  private readonly bySubject: ReadonlyMap<Id, readonly GrantEntry[]>;
  private readonly tables = new Map<string, PolicyTable>();

  constructor(view: PolicyView) {
    this.agents = new Map(view.agents.map((agent) => [agent.id, agent]));
    this.bySubject = Map.groupBy(view.grants, ({ subject }) => ('agentId' in subject ? subject.agentId : subject.groupId));
  }

  agent(id: Id): AgentEntry | undefined {
    return this.agents.get(id);
  }

  /** What tells apart agents that have other rules at servers for which they have no grants of their own. */
  kindOf(id: Id): string {
    const agent = this.agents.get(id);
    if (agent === undefined) return 'nobody';
    const own = (this.bySubject.get(id) ?? []).filter((grant) => !('serverId' in grant.target));
    const groups = agent.groupIds.filter((group) => this.bySubject.has(group));
    return own.length > 0 ? `only ${id}` : `${String(agent.enabled)} ${groups.join()}`;
  }

  /** Servers for which the agent has grants of its own. */
  ownServers(id: Id): readonly Id[] {
    return (this.bySubject.get(id) ?? []).flatMap(({ target }) => ('serverId' in target ? [target.serverId] : []));
  }

  /** The rules of the agent; those that it shares with others where `shared`. */
  tableOf(id: Id, shared: boolean): PolicyTable | undefined {
    const agent = this.agents.get(id);
    if (agent === undefined) return undefined;
    const key = shared ? this.kindOf(id) : id;
    const known = this.tables.get(key);
    if (known !== undefined) return known;
    const own = this.bySubject.get(id) ?? [];
    const grants = [
      ...(shared ? own.filter((grant) => !('serverId' in grant.target)) : own),
      ...agent.groupIds.flatMap((group) => this.bySubject.get(group) ?? []),
    ];
    const table = compileTable({ agent, grants });
    this.tables.set(key, table);
    return table;
  }
}
