import { OWN_SERVER_ID } from '@portcullis/contracts/names';
import type { AgentEntry, GrantEntry, ServerEntry } from '@portcullis/contracts/snapshot';
import { compileTable, type PolicyTable, type Within } from '@portcullis/policy';
import type { PolicySnapshot } from '@portcullis/snapshot';
import { LRUCache } from '../memory/lru-cache.js';
import { AgentView, type ViewParts } from './agent-view.js';
import { ownServer } from './own-server.js';
import { selectedServers } from './selected-servers.js';

/** The gateway's own tools are granted like those of any server, and are in no snapshot. */
const serverOf = (id: string, live: PolicySnapshot): ServerEntry | undefined => (id === OWN_SERVER_ID ? ownServer : live.servers.get(id));

const NONE: readonly GrantEntry[] = [];

interface Compiled {
  readonly agent: AgentEntry;
  readonly grants: readonly (readonly GrantEntry[])[];
  readonly table: PolicyTable;
}

interface KnownView {
  readonly view: AgentView;
  /** Which servers it was last found to hold by, by number: a view that is not asked for must not keep the policy of its time in memory. */
  servers: number;
}

interface Narrowed {
  readonly whole: PolicyTable;
  readonly table: PolicyTable;
}

/** What a task leaves of all that its agent may do. */
interface TaskBounds {
  readonly isWithin: Within;
  /** The same for tasks that are held to the same. */
  readonly narrowingId: string;
}

interface Moment {
  readonly live: PolicySnapshot;
  readonly now: number;
  readonly task?: TaskBounds | undefined;
}

interface Wanted extends Omit<Moment, 'task'> {
  readonly agent: AgentEntry;
  readonly table: PolicyTable;
  readonly slug: string | null;
}

const TASKS_READY_MAX = 1000;

/** Policy tables and views of the agents that call here, made on first use and kept while what they were made from stays the same. */
export class AgentViews {
  private readonly tables: LRUCache<Compiled>;
  private readonly views: LRUCache<KnownView>;
  /** Apart, so that an agent with many tasks takes no other's place. */
  private readonly taskTables = new LRUCache<Narrowed>(TASKS_READY_MAX);
  private readonly taskViews = new LRUCache<KnownView>(TASKS_READY_MAX);
  /** Counts changes of servers. */
  private serversAt = 0;
  private servers: PolicySnapshot['servers'] | undefined;

  constructor(agentsMax: number) {
    this.tables = new LRUCache(agentsMax);
    this.views = new LRUCache(agentsMax);
  }

  /** What this agent, or a task of its, sees at this endpoint, by this snapshot and this moment (epoch milliseconds). */
  of(agent: AgentEntry, slug: string | null, moment: Moment): AgentView {
    const { live, now, task } = moment;
    const whole = this.compiled(agent, live).table;
    if (task === undefined) return this.view(this.views, slug === null ? agent.id : `${agent.id} ${slug}`, { agent, table: whole, slug, live, now });
    const key = `${agent.id} ${task.narrowingId}`;
    const table = this.narrowed(key, whole, task);
    return this.view(this.taskViews, slug === null ? key : `${key} ${slug}`, { agent, table, slug, live, now });
  }

  /** For when the ring changed: pages of lists that were made hold cursors which only a withdrawn key opens. */
  forget(): void {
    this.views.clear();
    this.taskViews.clear();
  }

  private narrowed(key: string, whole: PolicyTable, { isWithin }: TaskBounds): PolicyTable {
    const known = this.taskTables.get(key);
    if (known?.whole === whole) return known.table;
    const table = whole.narrowedTo(isWithin);
    this.taskTables.set(key, { whole, table });
    return table;
  }

  private view(views: LRUCache<KnownView>, key: string, { agent, table, slug, live, now }: Wanted): AgentView {
    const servers = this.numberOf(live);
    const known = views.get(key);
    if (known !== undefined && known.view.table === table && (known.view.validUntil === null || now < known.view.validUntil)) {
      // Looked at once per snapshot, not per call: an agent may see thousands of servers.
      if (known.servers === servers) return known.view;
      if (isOf(known.view.parts, table, live)) {
        known.servers = servers;
        return known.view;
      }
    }
    const view = new AgentView(partsOf(agent, table, live), table, slug, now);
    views.set(key, { view, servers });
    return view;
  }

  private numberOf({ servers }: PolicySnapshot): number {
    if (this.servers !== servers) {
      this.servers = servers;
      this.serversAt += 1;
    }
    return this.serversAt;
  }

  private compiled(agent: AgentEntry, live: PolicySnapshot): Compiled {
    const known = this.tables.get(agent.id);
    if (known !== undefined && known.agent === agent && sameGrants(known.grants, agent, live)) return known;
    const grants = subjectsOf(agent).map((subject) => live.grantsBySubject.get(subject) ?? NONE);
    const compiled = { agent, grants, table: compileTable({ agent, grants: grants.flat() }) };
    this.tables.set(agent.id, compiled);
    return compiled;
  }
}

function subjectsOf(agent: AgentEntry): readonly string[] {
  return agent.groupIds.length === 0 ? [agent.id] : [...new Set([agent.id, ...agent.groupIds])];
}

function sameGrants(grants: Compiled['grants'], agent: AgentEntry, live: PolicySnapshot): boolean {
  return subjectsOf(agent).every((subject, at) => {
    const now = live.grantsBySubject.get(subject) ?? NONE;
    const then = grants[at];
    return now === then || (then !== undefined && now.length === then.length && now.every((grant, place) => grant === then[place]));
  });
}

function partsOf(agent: AgentEntry, table: PolicyTable, live: PolicySnapshot): ViewParts {
  const named = new Set(table.serverIds);
  const selected = selectedServers(table.selectors, live.servers).filter(({ id }) => !named.has(id));
  const servers = table.serverIds.map((id) => serverOf(id, live));
  return { agent, serverIds: [...named, ...selected.map(({ id }) => id)], servers: [...servers, ...selected], selected };
}

/** Whether the servers are still the very entries the view was made from, and none has joined; agent and grants are the table's. */
function isOf({ serverIds, servers, selected }: ViewParts, table: PolicyTable, live: PolicySnapshot): boolean {
  if (!servers.every((server, at) => serverOf(serverIds[at] ?? '', live) === server)) return false;
  if (table.selectors.length === 0) return true;
  const named = new Set(table.serverIds);
  const now = selectedServers(table.selectors, live.servers).filter(({ id }) => !named.has(id));
  return now.length === selected.length && now.every((server, at) => server === selected[at]);
}
