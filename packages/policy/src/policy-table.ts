import type { TargetSelector } from '@portcullis/contracts/grants';
import { OWN_SERVER_ID, type Id } from '@portcullis/contracts/names';
import type { AgentEntry, GrantEntry } from '@portcullis/contracts/snapshot';
import type { Within } from './narrowing.js';
import { compileServerRules, type ServerRules } from './rule.js';
import { selectsServer, type ServerFacts } from './selector.js';

type SelectorGrant = GrantEntry & { readonly target: { readonly selector: TargetSelector } };

const NO_RULES: ServerRules = new Map();

/**
 * Everything one agent may and may not do. What it says never changes; the rules of a server are compiled when it is first asked about, by the
 * tags that this very entry of it has.
 */
export class PolicyTable {
  readonly agentId: Id;
  readonly agentSlug: string;
  readonly agentEnabled: boolean;
  /** Servers that grants name. */
  readonly serverIds: readonly Id[];
  /** What allowing grants select beyond those. */
  readonly selectors: readonly TargetSelector[];
  /** Every moment at which a grant starts or ends, ascending, epoch milliseconds. */
  readonly changeTimes: readonly number[];
  private readonly direct: ReadonlyMap<Id, readonly GrantEntry[]>;
  private readonly selecting: readonly SelectorGrant[];
  private readonly compiled = new WeakMap<ServerFacts, ServerRules>();
  /** Servers that only selectors are about share their rules. */
  private readonly shared = new Map<string, ServerRules>();

  constructor(
    private readonly agent: AgentEntry,
    private readonly enforced: readonly GrantEntry[],
    /** What would hold if the grants in the mode `shadow` were enforced too; undefined when there are none. */
    readonly trial: PolicyTable | undefined,
    /** What is left of it for a task; undefined where nothing is held back. */
    readonly within?: Within,
  ) {
    this.agentId = agent.id;
    this.agentSlug = agent.slug;
    this.agentEnabled = agent.enabled;
    const named = enforced.filter((grant) => 'serverId' in grant.target);
    this.direct = Map.groupBy(named, (grant) => serverIdOf(grant) ?? '');
    this.selecting = enforced.filter(hasSelector);
    this.serverIds = [...this.direct.keys()];
    this.selectors = this.selecting.filter(({ effect }) => effect === 'allow').map(({ target }) => target.selector);
    const times = enforced.flatMap((grant) => [grant.notBefore, grant.expiresAt]).filter((time) => time !== null);
    this.changeTimes = [...new Set(times)].sort((a, b) => a - b);
  }

  /** The same, less whatever lies outside: no decision of it can allow what this one does not. */
  narrowedTo(within: Within): PolicyTable {
    return new PolicyTable(this.agent, this.enforced, this.trial?.narrowedTo(within), within);
  }

  /** The rules of a server. */
  rulesOf(server: ServerFacts): ServerRules {
    const known = this.compiled.get(server);
    if (known !== undefined) return known;
    const rules = this.compile(server);
    this.compiled.set(server, rules);
    return rules;
  }

  private compile(server: ServerFacts): ServerRules {
    const direct = this.direct.get(server.id);
    // The gateway's own tools are no server that somebody registered: only their name is about them.
    const isOwn = server.id === OWN_SERVER_ID;
    const selecting = isOwn ? [] : this.selecting.filter(({ target }) => selectsServer(target.selector, server));
    if (direct !== undefined) return compileServerRules(selecting.length === 0 ? direct : inOrder([...direct, ...selecting]));
    if (selecting.length === 0) return NO_RULES;
    const key = selecting.map(({ id }) => id).join();
    let rules = this.shared.get(key);
    if (rules === undefined) this.shared.set(key, (rules = compileServerRules(selecting)));
    return rules;
  }
}

const hasSelector = (grant: GrantEntry): grant is SelectorGrant => 'selector' in grant.target;

/** The server a grant names; none for one with a selector. */
export const serverIdOf = ({ target }: GrantEntry): Id | undefined => ('serverId' in target ? target.serverId : undefined);

/** Whether a grant is about this server, by name or by what it selects. */
export const isAbout = ({ target }: GrantEntry, server: ServerFacts): boolean =>
  'serverId' in target ? target.serverId === server.id : selectsServer(target.selector, server);

/** Whether a grant speaks to this agent, by itself or through one of its groups. */
export function concerns(agent: AgentEntry, grant: GrantEntry): boolean {
  return 'agentId' in grant.subject ? grant.subject.agentId === agent.id : agent.groupIds.includes(grant.subject.groupId);
}

/** Compiles an agent's grants. Grants of other subjects are left out, so a wrong selection can never add access. */
export function compileTable({ agent, grants }: { agent: AgentEntry; grants: readonly GrantEntry[] }): PolicyTable {
  const own = inOrder(grants.filter((grant) => concerns(agent, grant)));
  const enforced = own.filter(({ mode }) => mode !== 'shadow');
  const trial = enforced.length === own.length ? undefined : new PolicyTable(agent, own, undefined);
  return new PolicyTable(agent, enforced, trial);
}

/** By id, so that the order in which grants come never shows in a decision. */
export function inOrder(grants: readonly GrantEntry[]): readonly GrantEntry[] {
  return grants.toSorted((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}
