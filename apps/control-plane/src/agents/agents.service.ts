import { Inject, Injectable } from '@nestjs/common';
import type { Agent, AgentPage, CreateAgent, ListAgentsQuery, UpdateAgent } from '@portcullis/contracts/api/agents';
import { bucketOf } from '@portcullis/contracts/snapshot';
import { PrismaClient, type Transaction } from '@portcullis/database';
import { v7 } from 'uuid';
import type { z } from 'zod';
import type { Author, Subject } from '../changes/author.js';
import { only, PolicyChanges, type Changed, type Dirty, type MadeChange, type PolicyChange } from '../changes/policy-changes.js';
import { differing } from '../database/differing.js';
import { identifyAll, takenSlugs, type Named } from '../database/identify-all.js';
import { serversCalledFor } from '../credentials/credentials.repository.js';
import { orConflict } from '../database/or-conflict.js';
import { decodeCursor, pageFrom, TextCursor } from '../http/paging.js';
import { notFound, ProblemError } from '../http/problem.js';
import { deleteAgents, findAgent, findAgents, insertAgents, listAgents, shownStyle, updateAgents, type AgentRow } from './agents.repository.js';

/** A change that many make together. */
export interface AgentUpdate {
  readonly agent: string;
  readonly change: UpdateAgent;
}

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
  async identify(tx: Transaction, reference: string): Promise<Named> {
    return (await identifyAll(tx, 'agent', [reference]))(reference);
  }

  async create(author: Author, agent: CreateAgent): Promise<Changed<Agent>> {
    const work = this.changes.apply(author, 'agent.created', agent.reason, async (tx) => only(await this.createAllIn(tx, [agent])));
    return orConflict(work, alreadyThere(agent.slug));
  }

  /** Makes many as part of one change, in their order, by few statements. Refuses (409) a slug that is taken. */
  async createAllIn(tx: Transaction, agents: readonly CreateAgent[]): Promise<MadeChange<Agent>[]> {
    const taken = await takenSlugs(
      tx,
      'agent',
      agents.map(({ slug }) => slug),
    );
    const rows = agents.map(({ slug, name, owner, toolNameStyle }): AgentRow => {
      if (taken.has(slug)) throw new ProblemError('conflict', alreadyThere(slug));
      taken.add(slug);
      const [now, id] = [new Date(), v7()];
      const columns = { id, slug, name: name ?? slug, owner, toolNameStyle: storedStyle(toolNameStyle) };
      return { ...columns, enabled: true, budgetSpentUntil: null, memberships: [], createdAt: now, updatedAt: now };
    });
    await insertAgents(tx, rows);
    return rows.map((row) => {
      const { id, name, owner, toolNameStyle } = toAgent(row);
      return { result: toAgent(row), subject: agentSubject(row), change: { name, owner, toolNameStyle }, dirty: [agentBucket(id)] };
    });
  }

  async update(author: Author, agent: string, { reason, ...change }: UpdateAgent): Promise<Changed<Agent>> {
    return this.changes.apply(author, 'agent.updated', reason, async (tx) => only(await this.updateAllIn(tx, [{ agent, change }])));
  }

  /** Changes many as part of one change, in their order. */
  async updateAllIn(tx: Transaction, updates: readonly AgentUpdate[]): Promise<PolicyChange<Agent>[]> {
    const rows = await this.findAll(
      tx,
      updates.map(({ agent }) => agent),
    );
    const changed = new Map<string, AgentRow>();
    const done = updates.map(({ agent, change: { reason: _reason, ...wanted } }): PolicyChange<Agent> => {
      const found = rows(agent);
      const row = changed.get(found.id) ?? found;
      const change = differing(toAgent(row), wanted);
      if (Object.keys(change).length === 0) return { result: toAgent(row), unchanged: true };
      const updated = { ...row, ...columnsOf(change), updatedAt: new Date() };
      changed.set(row.id, updated);
      return { result: toAgent(updated), subject: agentSubject(row), change, dirty: [agentBucket(row.id)] };
    });
    await updateAgents(tx, [...changed.values()]);
    return done;
  }

  async delete(author: Author, agent: string): Promise<Changed<undefined>> {
    return this.changes.apply(author, 'agent.deleted', undefined, async (tx) => only(await this.deleteAllIn(tx, [agent])));
  }

  /** Deletes many as part of one change. */
  async deleteAllIn(tx: Transaction, agents: readonly string[]): Promise<MadeChange<undefined>[]> {
    const rows = await this.findAll(tx, agents);
    const calledFor = await serversCalledFor(
      tx,
      agents.map((agent) => rows(agent).id),
    );
    const gone = new Set<string>();
    const done = agents.map((agent) => {
      const row = rows(agent);
      if (gone.has(row.id)) throw notFound('agent');
      gone.add(row.id);
      // Its grants go with it, and they lie in the bucket of their subject; what servers were called with for it lies with them.
      const servers = calledFor(row.id).map((id) => ({ kind: 'servers', bucket: bucketOf(id) }) as const);
      const dirty = [agentBucket(row.id), { kind: 'grants', bucket: bucketOf(row.id) } as const, ...servers];
      return { result: undefined, subject: agentSubject(row), change: { deleted: true }, dirty };
    });
    await deleteAgents(tx, [...gone]);
    return done;
  }

  private async findAll(tx: Transaction, references: readonly string[]): Promise<(reference: string) => AgentRow> {
    const identified = await identifyAll(tx, 'agent', references);
    const ids = references.map((reference) => identified(reference).id);
    const rows = new Map((await findAgents(tx, [...new Set(ids)])).map((row) => [row.id, row]));
    return (reference) => {
      const row = rows.get(identified(reference).id);
      if (row === undefined) throw notFound('agent');
      return row;
    };
  }
}

const alreadyThere = (slug: string): string => `There is an agent ${slug} already.`;

export const agentBucket = (id: string): Dirty => ({ kind: 'agents', bucket: bucketOf(id) });

export const agentSubject = ({ id, slug }: AgentRow): Subject => ({ kind: 'agent', id, slug });

const storedStyle = (style: Agent['toolNameStyle']): 'double_underscore' | 'colon' | 'dot' =>
  style === 'double-underscore' ? 'double_underscore' : style;

/** Named one by one, so that a column added later is not open to whatever a request brings. */
function columnsOf({ name, owner, enabled, toolNameStyle }: Partial<UpdateAgent>) {
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
    toolNameStyle: shownStyle(row.toolNameStyle),
    enabled: row.enabled,
    budgetSpentUntil: row.budgetSpentUntil !== null && row.budgetSpentUntil > new Date() ? row.budgetSpentUntil.toISOString() : null,
    groups: row.memberships.map(({ group }) => group.slug),
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}
