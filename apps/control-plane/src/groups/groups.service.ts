import { Inject, Injectable } from '@nestjs/common';
import type { AgentPage, CreateGroup, Group, GroupPage } from '@portcullis/contracts/api/agents';
import type { PageQuery } from '@portcullis/contracts/api/conventions';
import { bucketOf } from '@portcullis/contracts/snapshot';
import { PrismaClient, type Transaction } from '@portcullis/database';
import { v7 } from 'uuid';
import type { z } from 'zod';
import { agentBucket, AgentsService } from '../agents/agents.service.js';
import type { Author, Subject } from '../changes/author.js';
import { only, PolicyChanges, type Changed, type MadeChange, type PolicyChange } from '../changes/policy-changes.js';
import { identifyAll, takenSlugs } from '../database/identify-all.js';
import { orConflict } from '../database/or-conflict.js';
import { decodeCursor, pageFrom, TextCursor } from '../http/paging.js';
import { notFound, ProblemError } from '../http/problem.js';
import {
  deleteGroup,
  deleteMembers,
  findGroup,
  insertGroups,
  insertMembers,
  listGroups,
  listMembers,
  memberIds,
  type GroupRow,
} from './groups.repository.js';

/** Who is to be in, or out of, which group. */
export interface NamedMember {
  readonly group: string;
  readonly agent: string;
}

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

  async create(author: Author, group: CreateGroup): Promise<Changed<Group>> {
    const work = this.changes.apply(author, 'group.created', group.reason, async (tx) => only(await this.createAllIn(tx, [group])));
    return orConflict(work, alreadyThere(group.slug));
  }

  /** Makes many as part of one change, in their order, by few statements. Refuses (409) a slug that is taken. */
  async createAllIn(tx: Transaction, groups: readonly CreateGroup[]): Promise<MadeChange<Group>[]> {
    const taken = await takenSlugs(
      tx,
      'agent_group',
      groups.map(({ slug }) => slug),
    );
    const rows = groups.map(({ slug, name }): GroupRow => {
      if (taken.has(slug)) throw new ProblemError('conflict', alreadyThere(slug));
      taken.add(slug);
      return { id: v7(), slug, name: name ?? slug, createdAt: new Date(), _count: { members: 0 } };
    });
    await insertGroups(tx, rows);
    // Nodes know groups only by their members and grants, and a new one has neither.
    return rows.map((row) => ({ result: toGroup(row), subject: groupSubject(row), change: { name: row.name }, dirty: [] }));
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
    return this.changes.apply(author, 'group-member.added', undefined, async (tx) => only(await this.addMembersIn(tx, [{ group, agent }])));
  }

  async removeMember(author: Author, group: string, agent: string): Promise<Changed<undefined>> {
    return this.changes.apply(author, 'group-member.removed', undefined, async (tx) => only(await this.removeMembersIn(tx, [{ group, agent }])));
  }

  /** Adds many as part of one change. */
  async addMembersIn(tx: Transaction, members: readonly NamedMember[]): Promise<PolicyChange<undefined>[]> {
    return changeMembers(tx, members, insertMembers);
  }

  /** Removes many as part of one change. */
  async removeMembersIn(tx: Transaction, members: readonly NamedMember[]): Promise<PolicyChange<undefined>[]> {
    return changeMembers(tx, members, deleteMembers);
  }
}

/** Every agent that a change concerns is told once; who is named again was so already. */
async function changeMembers(tx: Transaction, members: readonly NamedMember[], write: typeof insertMembers): Promise<PolicyChange<undefined>[]> {
  const groups = await identifyAll(
    tx,
    'agent_group',
    members.map(({ group }) => group),
  );
  const agents = await identifyAll(
    tx,
    'agent',
    members.map(({ agent }) => agent),
  );
  const wanted = members.map(({ group, agent }) => ({ group: groups(group), agent: agents(agent) }));
  const keyOf = (groupId: string, agentId: string): string => `${groupId}/${agentId}`;
  const distinct = new Map(wanted.map(({ group, agent }) => [keyOf(group.id, agent.id), { groupId: group.id, agentId: agent.id }]));
  const written = new Set((await write(tx, [...distinct.values()])).map(({ groupId, agentId }) => keyOf(groupId, agentId)));
  return wanted.map(({ group, agent }) => {
    if (!written.delete(keyOf(group.id, agent.id))) return { result: undefined, unchanged: true };
    const change = { agentId: agent.id, agent: agent.slug };
    return { result: undefined, subject: { kind: 'group', ...group }, change, dirty: [agentBucket(agent.id)] };
  });
}

const alreadyThere = (slug: string): string => `There is a group ${slug} already.`;

const groupSubject = ({ id, slug }: GroupRow): Subject => ({ kind: 'group', id, slug });

function toGroup({ id, slug, name, createdAt, _count }: GroupRow): Group {
  return { id, slug, name, memberCount: _count.members, createdAt: createdAt.toISOString() };
}
