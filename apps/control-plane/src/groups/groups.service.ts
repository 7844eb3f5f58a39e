import { Inject, Injectable } from '@nestjs/common';
import type { AgentPage, CreateGroup, Group, GroupPage } from '@portcullis/contracts/api/agents';
import type { PageQuery } from '@portcullis/contracts/api/conventions';
import { bucketOf } from '@portcullis/contracts/snapshot';
import { PrismaClient, type Transaction } from '@portcullis/database';
import type { z } from 'zod';
import { agentBucket, AgentsService } from '../agents/agents.service.js';
import type { Author, Subject } from '../changes/author.js';
import { PolicyChanges, type Changed, type PolicyChange } from '../changes/policy-changes.js';
import { orConflict } from '../database/or-conflict.js';
import { decodeCursor, pageFrom, TextCursor } from '../http/paging.js';
import { notFound } from '../http/problem.js';
import {
  deleteGroup,
  deleteMember,
  findGroup,
  identifyGroup,
  insertGroup,
  insertMember,
  listGroups,
  listMembers,
  memberIds,
  type GroupRow,
} from './groups.repository.js';

/** Groups of agents: a grant to a group speaks to each member. */
@Injectable()
export class GroupsService {
  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(PolicyChanges) private readonly changes: PolicyChanges,
    @Inject(AgentsService) private readonly agents: AgentsService,
  ) {}

  async list({ cursor, limit }: PageQuery): Promise<z.infer<typeof GroupPage>> {
    const [after] = decodeCursor(cursor, TextCursor) ?? [];
    return pageFrom(await listGroups(this.database, { after, limit }), limit, toGroup, ({ slug }) => [slug]);
  }

  async read(reference: string): Promise<Group> {
    return toGroup(await this.find(this.database, reference));
  }

  /** The row behind a UUID or slug; refuses (404) what does not exist. */
  async find(db: Transaction, reference: string): Promise<GroupRow> {
    const row = await findGroup(db, reference);
    if (row === null) throw notFound('group');
    return row;
  }

  /** The same for who needs no more than its id. */
  async identify(db: Transaction, reference: string): Promise<Pick<GroupRow, 'id' | 'slug'>> {
    const row = await identifyGroup(db, reference);
    if (row === null) throw notFound('group');
    return row;
  }

  async create(author: Author, { slug, name, reason }: CreateGroup): Promise<Changed<Group>> {
    const work = this.changes.apply(author, 'group.created', reason, async (tx) => {
      const row = await insertGroup(tx, slug, name ?? slug);
      // Nodes know groups only by their members and grants, and a new one has neither.
      return { result: toGroup(row), subject: groupSubject(row), change: { name: row.name }, dirty: [] };
    });
    return orConflict(work, `There is a group ${slug} already.`);
  }

  async delete(author: Author, reference: string): Promise<Changed<undefined>> {
    return this.changes.apply(author, 'group.deleted', undefined, async (tx) => {
      const row = await this.find(tx, reference);
      const members = await memberIds(tx, row.id);
      await deleteGroup(tx, row.id);
      const dirty = [{ kind: 'grants', bucket: bucketOf(row.id) } as const, ...members.map(agentBucket)];
      return { result: undefined, subject: groupSubject(row), change: { deleted: true, members: members.length }, dirty };
    });
  }

  async members(reference: string, { cursor, limit }: PageQuery): Promise<z.infer<typeof AgentPage>> {
    const [after] = decodeCursor(cursor, TextCursor) ?? [];
    const { id } = await this.find(this.database, reference);
    const page = pageFrom(
      await listMembers(this.database, id, { after, limit }),
      limit,
      (row) => row.id,
      ({ slug }) => [slug],
    );
    return { ...page, items: await this.agents.readAll(page.items) };
  }

  async addMember(author: Author, group: string, agent: string): Promise<Changed<undefined>> {
    return this.changes.apply(author, 'group-member.added', undefined, async (tx) => this.changeMember(tx, group, agent, insertMember));
  }

  async removeMember(author: Author, group: string, agent: string): Promise<Changed<undefined>> {
    return this.changes.apply(author, 'group-member.removed', undefined, async (tx) => this.changeMember(tx, group, agent, deleteMember));
  }

  private async changeMember(tx: Transaction, group: string, agent: string, write: typeof insertMember): Promise<PolicyChange<undefined>> {
    const { id: groupId, slug } = await this.identify(tx, group);
    const member = await this.agents.identify(tx, agent);
    if (!(await write(tx, groupId, member.id))) return { result: undefined, unchanged: true };
    const change = { agentId: member.id, agent: member.slug };
    return { result: undefined, subject: { kind: 'group', id: groupId, slug }, change, dirty: [agentBucket(member.id)] };
  }
}

const groupSubject = ({ id, slug }: GroupRow): Subject => ({ kind: 'group', id, slug });

function toGroup({ id, slug, name, createdAt, _count }: GroupRow): Group {
  return { id, slug, name, memberCount: _count.members, createdAt: createdAt.toISOString() };
}
