import type { PrismaClient, Transaction } from '@portcullis/database';
import { RequestableService } from '../access-requests/requestable.service.js';
import { AgentsService } from '../agents/agents.service.js';
import { PartsOfChange } from '../changes/part-of-change.js';
import type { DiscoveryRequestsService } from '../discovery/discovery-requests.service.js';
import { GrantsService } from '../grants/grants.service.js';
import { GroupsService } from '../groups/groups.service.js';
import { LimitsService } from '../limits/limits.service.js';
import { DefinitionsService } from '../servers/definitions.service.js';
import { ServersService } from '../servers/servers.service.js';
import { SettingsService } from '../settings/settings.service.js';

/** The services that REST uses, over one transaction: what they check and write here is what they check and write there. */
export interface DraftServices {
  readonly tx: Transaction;
  readonly parts: PartsOfChange;
  /** Servers to ask again once the transaction is committed. */
  readonly discover: Set<string>;
  readonly agents: AgentsService;
  readonly groups: GroupsService;
  readonly grants: GrantsService;
  readonly requestable: RequestableService;
  readonly limits: LimitsService;
  readonly servers: ServersService;
  readonly definitions: DefinitionsService;
  readonly settings: SettingsService;
}

export function draftServices(tx: Transaction): DraftServices {
  const parts = new PartsOfChange(tx);
  const changes = parts.asChanges();
  const database = tx as PrismaClient; // they read through it, and open no transaction but by `changes`
  const discover = new Set<string>();
  const noted = { start: async (id: string) => void discover.add(id) } as unknown as DiscoveryRequestsService;
  const agents = new AgentsService(database, changes);
  const groups = new GroupsService(database, changes, agents);
  const servers = new ServersService(database, changes, noted);
  return {
    tx,
    parts,
    discover,
    agents,
    groups,
    grants: new GrantsService(database, changes),
    requestable: new RequestableService(database, changes),
    // How much is used of a limit is no part of a change.
    limits: new LimitsService(database, changes, { of: async () => () => undefined }),
    servers,
    definitions: new DefinitionsService(database, changes, servers),
    settings: new SettingsService(database, changes),
  };
}
