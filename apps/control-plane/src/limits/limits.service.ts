import { Inject, Injectable } from '@nestjs/common';
import type { CreateLimit, Limit, LimitPage, ListLimitsQuery, UpdateLimit } from '@portcullis/contracts/api/limits';
import { CallLimitTerms } from '@portcullis/contracts/limits';
import { PrismaClient, type Transaction } from '@portcullis/database';
import { v7 } from 'uuid';
import type { z } from 'zod';
import { agentBucket } from '../agents/agents.service.js';
import type { Author, Subject } from '../changes/author.js';
import { only, PolicyChanges, type Changed, type Dirty, type MadeChange } from '../changes/policy-changes.js';
import { differing } from '../database/differing.js';
import { findAbout } from '../grants/grant-columns.js';
import { aboutOnly, idsOf, type About } from '../grants/grants.repository.js';
import { memberIds } from '../groups/groups.repository.js';
import { decodeCursor, IdCursor, pageFrom } from '../http/paging.js';
import { notFound, ProblemError } from '../http/problem.js';
import { serverBucket } from '../servers/servers.service.js';
import { LimitUses } from './limit-uses.js';
import { countLimitsOf, deleteLimit, findLimit, insertLimits, listLimits, subjectIdOf, updateLimit, type LimitRow } from './limits.repository.js';
import { toLimit } from './to-limit.js';

/** Each call looks at all limits of its agent, its groups and its server. */
const LIMITS_OF_ONE_MAX = 20;

/** How often agents, groups, servers and tools may be called. */
@Injectable()
export class LimitsService {
  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(PolicyChanges) private readonly changes: PolicyChanges,
    @Inject(LimitUses) private readonly uses: Pick<LimitUses, 'of'>,
  ) {}

  async list({ cursor, limit, ...named }: ListLimitsQuery): Promise<z.infer<typeof LimitPage>> {
    const [after] = decodeCursor(cursor, IdCursor) ?? [];
    const rows = await listLimits(this.database, aboutOnly((await findAbout(this.database, [named]))(named)), { after, limit });
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
    return this.changes.apply(author, 'limit.created', limit.reason, async (tx) => only(await this.createAllIn(tx, author, [limit])));
  }

  /** Makes many as part of one change, in their order, by few statements. */
  async createAllIn(tx: Transaction, author: Author, limits: readonly CreateLimit[]): Promise<MadeChange<Limit>[]> {
    const aboutOf = await findAbout(tx, limits);
    const rows = limits.map((limit) => newLimit(limit, author, aboutOf(limit)));
    await requireRoom(tx, rows);
    await insertLimits(tx, rows);
    const dirtyOf = await bucketsOf(tx, rows);
    return rows.map((row) => ({ result: toLimit(row), subject: subjectOf(row), change: described(row), dirty: dirtyOf(row) }));
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
      return { result: toLimit(updated), subject: subjectOf(row), change: both, dirty: (await bucketsOf(tx, [row]))(row) };
    });
  }

  async delete(author: Author, id: string): Promise<Changed<undefined>> {
    return this.changes.apply(author, 'limit.deleted', undefined, async (tx) => {
      const row = await find(tx, id);
      await deleteLimit(tx, id);
      const change = { deleted: true, ...described(row) };
      return { result: undefined, subject: subjectOf(row), change, dirty: (await bucketsOf(tx, [row]))(row) };
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

function newLimit({ terms, tools = [], reason }: CreateLimit, author: Author, about: About): LimitRow {
  const now = new Date();
  const columns = { id: v7(), terms, tools: [...new Set(tools)], reason: reason ?? null, createdBy: author.name, createdAt: now, updatedAt: now };
  return { ...about, ...idsOf(about), ...columns };
}

async function requireRoom(tx: Transaction, rows: readonly LimitRow[]): Promise<void> {
  const ids = rows.map(subjectIdOf);
  const counts = new Map(await countLimitsOf(tx, [...new Set(ids)]));
  for (const id of ids) {
    const count = counts.get(id) ?? 0;
    if (count >= LIMITS_OF_ONE_MAX) throw new ProblemError('conflict', `There are ${LIMITS_OF_ONE_MAX} limits already.`);
    counts.set(id, count + 1);
  }
}

/** The buckets that these limits are part of: those of a group lie with its members. */
async function bucketsOf(tx: Transaction, rows: readonly LimitRow[]): Promise<(row: LimitRow) => readonly Dirty[]> {
  const groups = [...new Set(rows.flatMap(({ groupId }) => groupId ?? []))];
  const ofGroups = new Map<string, readonly Dirty[]>();
  for (const groupId of groups) {
    const buckets = (await memberIds(tx, groupId)).map(agentBucket);
    ofGroups.set(groupId, [...new Map(buckets.map((dirty) => [dirty.bucket, dirty])).values()]);
  }
  return ({ agentId, groupId, serverId }) => {
    if (serverId !== null) return [serverBucket(serverId)];
    return agentId === null ? (ofGroups.get(groupId ?? '') ?? []) : [agentBucket(agentId)];
  };
}

const subjectOf = ({ id }: LimitRow): Subject => ({ kind: 'limit', id });

function described(row: LimitRow): Pick<Limit, 'subject' | 'terms' | 'reason'> {
  const { subject, terms, reason } = toLimit(row);
  return { subject, terms, reason };
}
