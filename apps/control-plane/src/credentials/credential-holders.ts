import { Inject, Injectable } from '@nestjs/common';
import { PrismaClient, type Transaction } from '@portcullis/database';
import { AgentsService } from '../agents/agents.service.js';
import { DiscoveryRequestsService } from '../discovery/discovery-requests.service.js';
import { ServersService } from '../servers/servers.service.js';

/** Servers and agents, as far as credentials have to do with them. */
@Injectable()
export class CredentialHolders {
  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(ServersService) private readonly servers: ServersService,
    @Inject(AgentsService) private readonly agents: AgentsService,
    @Inject(DiscoveryRequestsService) private readonly discovery: DiscoveryRequestsService,
  ) {}

  /** Refuses (404) what does not exist. */
  async server(reference: string, db: PrismaClient | Transaction = this.database): Promise<{ id: string; url: string }> {
    return this.servers.find(db, reference);
  }

  /** Refuses (404) what does not exist. */
  async agentId(reference: string, db: PrismaClient | Transaction = this.database): Promise<string> {
    return (await this.agents.identify(db, reference)).id;
  }

  /** What there is to call is what the server's own credential finds; an agent's never changes that. */
  async noteChanged({ serverId, agentId }: { serverId: string; agentId: string | null }): Promise<void> {
    if (agentId === null) await this.discovery.start(serverId);
  }
}
