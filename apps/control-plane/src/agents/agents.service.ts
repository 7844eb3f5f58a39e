import { Inject, Injectable } from '@nestjs/common';
import type { Agent, AgentPage, CreateAgent, ListAgentsQuery, UpdateAgent } from '@portcullis/contracts/api/agents';
import { bucketOf } from '@portcullis/contracts/snapshot';
import { PrismaClient, type Prisma, type Transaction } from '@portcullis/database';
import type { z } from 'zod';
import type { Author, Subject } from '../changes/author.js';
import { PolicyChanges, type Changed, type Dirty } from '../changes/policy-changes.js';
import { differing } from '../database/differing.js';
import { orConflict } from '../database/or-conflict.js';
import { decodeCursor, pageFrom, TextCursor } from '../http/paging.js';
import { notFound } from '../http/problem.js';
import { deleteAgent, findAgent, findAgents, identifyAgent, insertAgent, listAgents, updateAgent, type AgentRow } from './agents.repository.js';

/** Agents: who may call at all. What they may call is said by grants. */
@Injectable()
export class AgentsService {
  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(PolicyChanges) private readonly changes: PolicyChanges,
  ) {}

  async list({ q, cursor, limit }: ListAgentsQuery): Promise<z.infer<typeof AgentPage>> {
    const [after] = decodeCursor(cursor, TextCursor) ?? [];
    return pageFrom(await listAgents(this.database, { q, after, limit }), limit, toAgent, ({ slug }) => [slug]);
  }

  async read(reference: string): Promise<Agent> {
    return toAgent(await this.find(this.database, reference));
  }

  /** Those of these ids that exist, in order of slug. */
  async readAll(ids: readonly string[]): Promise<Agent[]> {
    return (await findAgents(this.database, ids)).map(toAgent);
  }

  /** The row behind a UUID or slug; refuses (404) what does not exist. */
  async find(db: Transaction, reference: string): Promise<AgentRow> {
    const row = await findAgent(db, reference);
    if (row === null) throw notFound('agent');
    return row;
  }

  /** The same for who needs no more than its id. */
  async identify(db: Transaction, reference: string): Promise<Pick<AgentRow, 'id' | 'slug'>> {
    const row = await identifyAgent(db, reference);
    if (row === null) throw notFound('agent');
    return row;
  }

  async create(author: Author, { reason, name, toolNameStyle, slug, owner }: CreateAgent): Promise<Changed<Agent>> {
    const data = { slug, name: name ?? slug, owner, toolNameStyle: storedStyle(toolNameStyle) };
    const work = this.changes.apply(author, 'agent.created', reason, async (tx) => {
      const row = await insertAgent(tx, data);
      return { result: toAgent(row), subject: agentSubject(row), change: { name: data.name, owner, toolNameStyle }, dirty: [agentBucket(row.id)] };
    });
    return orConflict(work, `There is an agent ${slug} already.`);
  }

  async update(author: Author, reference: string, { reason, ...wanted }: UpdateAgent): Promise<Changed<Agent>> {
    return this.changes.apply(author, 'agent.updated', reason, async (tx) => {
      const row = await this.find(tx, reference);
      const change = differing(toAgent(row), wanted);
      if (Object.keys(change).length === 0) return { result: toAgent(row), unchanged: true };
      const updated = await updateAgent(tx, row.id, columnsOf(change));
      return { result: toAgent(updated), subject: agentSubject(row), change, dirty: [agentBucket(row.id)] };
    });
  }

  async delete(author: Author, reference: string): Promise<Changed<undefined>> {
    return this.changes.apply(author, 'agent.deleted', undefined, async (tx) => {
      const row = await this.find(tx, reference);
      await deleteAgent(tx, row.id);
      // Its grants go with it, and they lie in the bucket of their subject.
      const dirty = [agentBucket(row.id), { kind: 'grants', bucket: bucketOf(row.id) } as const];
      return { result: undefined, subject: agentSubject(row), change: { deleted: true }, dirty };
    });
  }
}

export const agentBucket = (id: string): Dirty => ({ kind: 'agents', bucket: bucketOf(id) });

export const agentSubject = ({ id, slug }: AgentRow): Subject => ({ kind: 'agent', id, slug });

const storedStyle = (style: Agent['toolNameStyle']): 'double_underscore' | 'colon' | 'dot' =>
  style === 'double-underscore' ? 'double_underscore' : style;

/** Named one by one, so that a column added later is not open to whatever a request brings. */
function columnsOf({ name, owner, enabled, toolNameStyle }: Partial<UpdateAgent>): Prisma.AgentUpdateInput {
  return {
    ...(name === undefined ? {} : { name }),
    ...(owner === undefined ? {} : { owner }),
    ...(enabled === undefined ? {} : { enabled }),
    ...(toolNameStyle === undefined ? {} : { toolNameStyle: storedStyle(toolNameStyle) }),
  };
}

export function toAgent(row: AgentRow): Agent {
  return {
    id: row.id,
    slug: row.slug,
    name: row.name,
    owner: row.owner,
    toolNameStyle: row.toolNameStyle === 'double_underscore' ? 'double-underscore' : row.toolNameStyle,
    enabled: row.enabled,
    groups: row.memberships.map(({ group }) => group.slug),
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}
