import { Inject, Injectable } from '@nestjs/common';
import type { AccessRequest, AccessRequestPage, CreateAccessRequest, ListAccessRequestsQuery } from '@portcullis/contracts/api/access-requests';
import { PrismaClient, type AccessRequest as Row, type Transaction } from '@portcullis/database';
import type { z } from 'zod';
import { AgentsService } from '../agents/agents.service.js';
import type { Author } from '../changes/author.js';
import { ownedAgents } from '../changes/owned-agents.js';
import { RecordedChanges } from '../changes/recorded-changes.js';
import { decodeCursor, IdCursor, pageFrom } from '../http/paging.js';
import { notFound, ProblemError } from '../http/problem.js';
import { ServersService } from '../servers/servers.service.js';
import { findRequest, listRequests, lockRequest, updateRequest } from './access-requests.repository.js';
import { describedRequest, fileRequest } from './file-request.js';
import { statusOf, toAccessRequest } from './to-access-request.js';

/** What people ask for on behalf of agents, and what became of it. */
@Injectable()
export class AccessRequestsService {
  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(RecordedChanges) private readonly changes: RecordedChanges,
    @Inject(AgentsService) private readonly agents: AgentsService,
    @Inject(ServersService) private readonly servers: ServersService,
  ) {}

  async list({ agent, status, cursor, limit }: ListAccessRequestsQuery): Promise<z.infer<typeof AccessRequestPage>> {
    const [before] = decodeCursor(cursor, IdCursor) ?? [];
    const agentId = agent === undefined ? undefined : (await this.agents.find(this.database, agent)).id;
    return pageFrom(await listRequests(this.database, { agentId, status }, { before, limit }), limit, toAccessRequest, ({ id }) => [id]);
  }

  async read(id: string): Promise<AccessRequest> {
    const row = await findRequest(this.database, id);
    if (row === null) throw notFound('access request');
    return toAccessRequest(row);
  }

  /** Refuses (409) a sixth open request of one agent; asking again for what is asked already gives the open request. */
  async file(author: Author, { agent, server, kind, names, durationSeconds, reason }: CreateAccessRequest): Promise<AccessRequest> {
    return this.changes.apply(author, 'access-request.filed', async (tx) => {
      const asked = { agent: await this.agents.find(tx, agent), server: await this.servers.find(tx, server) };
      const filed = await fileRequest(tx, { ...asked, kind, names, durationSeconds, reason, filedBy: author.name });
      if (typeof filed === 'string') throw new ProblemError('conflict', 'This agent has as many open requests as it may have.');
      const result = toAccessRequest(filed.row);
      if (!filed.isNew) return { result, unchanged: true };
      return { result, subject: requestSubject(filed.row), change: describedRequest(filed.row), requestId: filed.row.id };
    });
  }

  /** For whoever filed it and for the owner of its agent. */
  async withdraw(author: Author, id: string): Promise<AccessRequest> {
    return this.changes.apply(author, 'access-request.withdrawn', async (tx) => {
      const row = await openRequest(tx, id);
      const isTheirs = row.filedBy === author.name || (await ownedAgents(tx, [author.name])).some((agent) => agent.id === row.agentId);
      if (!isTheirs) throw new ProblemError('forbidden', 'Only who filed a request, or owns its agent, withdraws it.');
      const updated = await updateRequest(tx, id, { status: 'withdrawn', decidedBy: author.name, decidedAt: new Date() });
      return { result: toAccessRequest(updated), subject: requestSubject(row), change: { withdrawn: true }, requestId: id };
    });
  }
}

/** The request, held until the transaction ends. Refuses (409) one that is decided or over. */
export async function openRequest(tx: Transaction, id: string): Promise<Row> {
  const row = await lockRequest(tx, id);
  if (row === null) throw notFound('access request');
  if (statusOf(row) !== 'open') throw new ProblemError('conflict', `This request is ${statusOf(row)}.`);
  return row;
}

export const requestSubject = ({ id }: Row) => ({ kind: 'access-request', id });
