import { Inject, Injectable } from '@nestjs/common';
import type { CreateLimit, Limit, LimitPage, ListLimitsQuery, UpdateLimit } from '@portcullis/contracts/api/limits';
import { CallLimitTerms } from '@portcullis/contracts/limits';
import { PrismaClient, type Transaction } from '@portcullis/database';
import type { z } from 'zod';
import { agentBucket } from '../agents/agents.service.js';
import type { Author, Subject } from '../changes/author.js';
import { PolicyChanges, type Changed, type Dirty } from '../changes/policy-changes.js';
import { differing } from '../database/differing.js';
import { findAbout } from '../grants/grant-columns.js';
import { idsOf } from '../grants/grants.repository.js';
import { memberIds } from '../groups/groups.repository.js';
import { decodeCursor, IdCursor, pageFrom } from '../http/paging.js';
import { notFound, ProblemError } from '../http/problem.js';
import { serverBucket } from '../servers/servers.service.js';
import { LimitUses } from './limit-uses.js';
import { countLimitsOf, deleteLimit, findLimit, insertLimit, listLimits, updateLimit, type LimitRow } from './limits.repository.js';
import { toLimit } from './to-limit.js';

/** Each call looks at all limits of its agent, its groups and its server. */
const LIMITS_OF_ONE_MAX = 20;

/** How often agents, groups, servers and tools may be called. */
@Injectable()
export class LimitsService {
  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(PolicyChanges) private readonly changes: PolicyChanges,
    @Inject(LimitUses) private readonly uses: LimitUses,
  ) {}

  async list({ cursor, limit, ...named }: ListLimitsQuery): Promise<z.infer<typeof LimitPage>> {
    const [after] = decodeCursor(cursor, IdCursor) ?? [];
    const { agentId, groupId, serverId } = idsOf((await findAbout(this.database, [named]))(named));
    const where = { ...(agentId !== null && { agentId }), ...(groupId !== null && { groupId }), ...(serverId !== null && { serverId }) };
    const rows = await listLimits(this.database, where, { after, limit });
    const useOf = await this.uses.of(rows.slice(0, limit));
    return pageFrom(
      rows,
      limit,
      (row) => toLimit(row, useOf(row.id)),
      ({ id }) => [id],
    );
  }

  async read(id: string): Promise<Limit> {
    const row = await find(this.database, id);
    return toLimit(row, (await this.uses.of([row]))(id));
  }

  async create(author: Author, limit: CreateLimit): Promise<Changed<Limit>> {
    return this.changes.apply(author, 'limit.created', limit.reason, async (tx) => {
      const ids = idsOf((await findAbout(tx, [limit]))(limit));
      if ((await countLimitsOf(tx, ids)) >= LIMITS_OF_ONE_MAX) throw new ProblemError('conflict', `There are ${LIMITS_OF_ONE_MAX} limits already.`);
      const { terms, tools = [], reason = null } = limit;
      const row = await insertLimit(tx, { ...ids, terms, tools: [...new Set(tools)], reason, createdBy: author.name });
      return { result: toLimit(row), subject: subjectOf(row), change: described(row), dirty: await bucketsOf(tx, row) };
    });
  }

  async update(author: Author, id: string, { reason, ...wanted }: UpdateLimit): Promise<Changed<Limit>> {
    return this.changes.apply(author, 'limit.updated', reason, async (tx) => {
      const row = await find(tx, id);
      const stored = { tools: row.tools, terms: CallLimitTerms.parse(row.terms) };
      requireSameKind(row, stored.terms, wanted);
      const change = differing(stored, wanted);
      if (Object.keys(change).length === 0) return { result: toLimit(row), unchanged: true };
      const { tools, terms } = { ...stored, ...change };
      const updated = await updateLimit(tx, id, { tools: [...new Set(tools)], terms, reason: reason ?? row.reason });
      const both = { before: described(row), after: described(updated) };
      return { result: toLimit(updated), subject: subjectOf(row), change: both, dirty: await bucketsOf(tx, row) };
    });
  }

  async delete(author: Author, id: string): Promise<Changed<undefined>> {
    return this.changes.apply(author, 'limit.deleted', undefined, async (tx) => {
      const row = await find(tx, id);
      await deleteLimit(tx, id);
      return { result: undefined, subject: subjectOf(row), change: { deleted: true, ...described(row) }, dirty: await bucketsOf(tx, row) };
    });
  }
}

async function find(db: Transaction, id: string): Promise<LimitRow> {
  const row = await findLimit(db, id);
  if (row === null) throw notFound('limit');
  return row;
}

/** What was counted of a limit of one kind says nothing of another, and what is about a whole server does not become about some of its tools. */
function requireSameKind(row: LimitRow, stored: CallLimitTerms, { terms, tools }: UpdateLimit): void {
  const issue = (pointer: string, detail: string): ProblemError => new ProblemError('validation', undefined, [{ pointer, detail }]);
  if (terms !== undefined && terms.kind !== stored.kind) throw issue('/terms/kind', `stays ${stored.kind}: make another limit`);
  if (tools !== undefined && row.tools.length === 0) throw issue('/tools', 'this limit is not about tools: make another');
}

async function bucketsOf(tx: Transaction, { agentId, groupId, serverId }: LimitRow): Promise<Dirty[]> {
  if (serverId !== null) return [serverBucket(serverId)];
  const agents = groupId === null ? [] : await memberIds(tx, groupId);
  return [...agents, ...(agentId === null ? [] : [agentId])].map(agentBucket);
}

const subjectOf = ({ id }: LimitRow): Subject => ({ kind: 'limit', id });

function described(row: LimitRow): Pick<Limit, 'subject' | 'terms' | 'reason'> {
  const { subject, terms, reason } = toLimit(row);
  return { subject, terms, reason };
}
