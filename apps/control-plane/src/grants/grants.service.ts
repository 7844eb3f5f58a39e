import { Inject, Injectable } from '@nestjs/common';
import type { CreateGrant, Grant, GrantPage, ListGrantsQuery, UpdateGrant } from '@portcullis/contracts/api/grants';
import { bucketOf } from '@portcullis/contracts/snapshot';
import { Prisma, PrismaClient, type Transaction } from '@portcullis/database';
import type { z } from 'zod';
import { AgentsService } from '../agents/agents.service.js';
import type { Author, Subject } from '../changes/author.js';
import { PolicyChanges, type Changed, type Dirty } from '../changes/policy-changes.js';
import { differing } from '../database/differing.js';
import { GroupsService } from '../groups/groups.service.js';
import { decodeCursor, IdCursor, pageFrom } from '../http/paging.js';
import { notFound, ProblemError } from '../http/problem.js';
import { deleteGrant, findGrant, findGrantedServer, insertGrant, listGrants, updateGrant, type GrantRow } from './grants.repository.js';
import { requireMeant } from './require-meant.js';
import { described, termsOf, toGrant } from './to-grant.js';

/** A grant that was made, and what the change that made it has to say. */
export interface MadeGrant {
  readonly result: Grant;
  readonly subject: Subject;
  readonly change: ReturnType<typeof described>;
  readonly dirty: readonly Dirty[];
}

/** Grants: which agent or group may (or may not) use what of which server. */
@Injectable()
export class GrantsService {
  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(PolicyChanges) private readonly changes: PolicyChanges,
    @Inject(AgentsService) private readonly agents: AgentsService,
    @Inject(GroupsService) private readonly groups: GroupsService,
  ) {}

  async list({ agent, group, server, mode, cursor, limit }: ListGrantsQuery): Promise<z.infer<typeof GrantPage>> {
    const [after] = decodeCursor(cursor, IdCursor) ?? [];
    const filter = {
      agentId: agent === undefined ? undefined : (await this.agents.identify(this.database, agent)).id,
      groupId: group === undefined ? undefined : (await this.groups.identify(this.database, group)).id,
      serverId: server === undefined ? undefined : (await findServer(this.database, server)).id,
      mode,
    };
    return pageFrom(await listGrants(this.database, filter, { after, limit }), limit, toGrant, ({ id }) => [id]);
  }

  async read(id: string): Promise<Grant> {
    return toGrant(await this.find(this.database, id));
  }

  async create(author: Author, grant: CreateGrant): Promise<Changed<Grant>> {
    return this.changes.apply(author, 'grant.created', grant.reason, async (tx) => this.createIn(tx, author, grant));
  }

  /** Makes the grant as part of a change that does more. */
  async createIn(tx: Transaction, author: Author, grant: CreateGrant): Promise<MadeGrant> {
    const { kind, effect, reason } = grant;
    const names = [...new Set(grant.names)];
    const times = timesOf(grant.notBefore, grant.expiresAt);
    requireMeant(grant);
    const subject = await this.findSubject(tx, grant);
    const server = grant.server === undefined ? null : await findServer(tx, grant.server);
    const selector = grant.selector ?? Prisma.DbNull;
    const about = { agentId: subject.agent?.id ?? null, groupId: subject.group?.id ?? null, serverId: server?.id ?? null, selector };
    const columns = { ...about, kind, names, effect, ...termColumns(grant), ...times };
    const row = await insertGrant(tx, { ...columns, reason: reason ?? null, createdBy: author.name }, { ...subject, server });
    return { result: toGrant(row), subject: grantSubject(row), change: described(row), dirty: [grantBucket(row)] };
  }

  async update(author: Author, id: string, wanted: UpdateGrant): Promise<Changed<Grant>> {
    return this.changes.apply(author, 'grant.updated', wanted.reason, async (tx) => {
      const row = await this.find(tx, id);
      const before = toGrant(row);
      const after = { ...before, ...wanted, reason: wanted.reason ?? row.reason };
      requireMeant(after);
      const { names, condition, pinned, rateLimit, mode, reason } = after;
      const columns = { ...timesOf(after.notBefore, after.expiresAt), names: [...new Set(names)], reason };
      const change = differing({ ...row, ...termsOf(row) }, { ...columns, condition, pinned, rateLimit, mode });
      if (Object.keys(change).length === 0) return { result: before, unchanged: true };
      const updated = await updateGrant(tx, id, { ...columns, ...termColumns(after) });
      return {
        result: toGrant(updated),
        subject: grantSubject(row),
        change: { before: described(row), after: described(updated) },
        dirty: [grantBucket(row)],
      };
    });
  }

  async delete(author: Author, id: string): Promise<Changed<undefined>> {
    return this.changes.apply(author, 'grant.deleted', undefined, async (tx) => {
      const row = await this.find(tx, id);
      await deleteGrant(tx, id);
      return { result: undefined, subject: grantSubject(row), change: { deleted: true, ...described(row) }, dirty: [grantBucket(row)] };
    });
  }

  private async findSubject(tx: Transaction, { agent, group }: CreateGrant) {
    if (agent !== undefined) return { agent: await this.agents.identify(tx, agent), group: null };
    return { agent: null, group: await this.groups.identify(tx, group ?? '') };
  }

  private async find(db: Transaction, id: string): Promise<GrantRow> {
    const row = await findGrant(db, id);
    if (row === null) throw notFound('grant');
    return row;
  }
}

async function findServer(db: Transaction, reference: string): Promise<{ id: string; slug: string }> {
  const row = await findGrantedServer(db, reference);
  if (row === null) throw notFound('server');
  return row;
}

function termColumns({ condition, pinned, rateLimit, mode }: Pick<Grant, 'condition' | 'pinned' | 'rateLimit' | 'mode'>) {
  const pinnedColumn: Prisma.InputJsonObject | typeof Prisma.DbNull = pinned === null ? Prisma.DbNull : (pinned as Prisma.InputJsonObject);
  return { condition, pinned: pinnedColumn, rateLimit: rateLimit ?? Prisma.DbNull, mode };
}

function timesOf(notBefore: string | null, expiresAt: string | null): { notBefore: Date | null; expiresAt: Date | null } {
  const times = { notBefore: notBefore === null ? null : new Date(notBefore), expiresAt: expiresAt === null ? null : new Date(expiresAt) };
  if (times.notBefore !== null && times.expiresAt !== null && times.notBefore >= times.expiresAt) {
    throw new ProblemError('validation', undefined, [{ pointer: '/expiresAt', detail: 'must lie after notBefore' }]);
  }
  return times;
}

/** Grants lie in the bucket of their subject. */
const grantBucket = ({ agentId, groupId, id }: GrantRow): Dirty => ({ kind: 'grants', bucket: bucketOf(agentId ?? groupId ?? id) });

const grantSubject = ({ id }: GrantRow): Subject => ({ kind: 'grant', id });
