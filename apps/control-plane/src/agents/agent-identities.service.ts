import { Inject, Injectable } from '@nestjs/common';
import type { AgentIdentity, AgentIdentityPage, CreateAgentIdentity } from '@portcullis/contracts/api/agents';
import type { PageQuery } from '@portcullis/contracts/api/conventions';
import { PrismaClient, type AgentIdentity as IdentityRow } from '@portcullis/database';
import type { z } from 'zod';
import type { Author } from '../changes/author.js';
import { PolicyChanges, type Changed } from '../changes/policy-changes.js';
import { orConflict } from '../database/or-conflict.js';
import { decodeCursor, IdCursor, pageFrom } from '../http/paging.js';
import { notFound } from '../http/problem.js';
import { agentBucket, agentSubject, AgentsService } from './agents.service.js';

/** What issuers of access tokens call agents. One name of one issuer means one agent at most; whose tokens count at all is said by the settings. */
@Injectable()
export class AgentIdentitiesService {
  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(PolicyChanges) private readonly changes: PolicyChanges,
    @Inject(AgentsService) private readonly agents: AgentsService,
  ) {}

  /** In order of id, which is that of their making. */
  async list(agent: string, { cursor, limit }: PageQuery): Promise<z.infer<typeof AgentIdentityPage>> {
    const [after] = decodeCursor(cursor, IdCursor) ?? [];
    const { id: agentId } = await this.agents.identify(this.database, agent);
    const where = { agentId, ...(after === undefined ? {} : { id: { gt: after } }) };
    const rows = await this.database.agentIdentity.findMany({ where, orderBy: { id: 'asc' }, take: limit + 1 });
    return pageFrom(rows, limit, toIdentity, ({ id }) => [id]);
  }

  async create(author: Author, agent: string, { reason, issuer, subject }: CreateAgentIdentity): Promise<Changed<AgentIdentity>> {
    const work = this.changes.apply(author, 'agent-identity.created', reason, async (tx) => {
      const owner = await this.agents.find(tx, agent);
      const row = await tx.agentIdentity.create({ data: { agentId: owner.id, issuer, subject } });
      return {
        result: toIdentity(row),
        subject: agentSubject(owner),
        change: { identityId: row.id, issuer, subject },
        dirty: [agentBucket(owner.id)],
      };
    });
    return orConflict(work, 'That issuer calls an agent so already.');
  }

  async delete(author: Author, agent: string, id: string): Promise<Changed<undefined>> {
    return this.changes.apply(author, 'agent-identity.deleted', undefined, async (tx) => {
      const owner = await this.agents.find(tx, agent);
      const row = await tx.agentIdentity.findFirst({ where: { id, agentId: owner.id } });
      if (row === null) throw notFound('identity of this agent');
      await tx.agentIdentity.delete({ where: { id } });
      const change = { identityId: id, issuer: row.issuer, subject: row.subject, deleted: true };
      return { result: undefined, subject: agentSubject(owner), change, dirty: [agentBucket(owner.id)] };
    });
  }
}

const toIdentity = ({ id, issuer, subject, createdAt }: IdentityRow): AgentIdentity => ({ id, issuer, subject, createdAt: createdAt.toISOString() });
