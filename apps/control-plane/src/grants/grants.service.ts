import { Inject, Injectable } from '@nestjs/common';
import type { CreateGrant, Grant, GrantPage, ListGrantsQuery, UpdateGrant } from '@portcullis/contracts/api/grants';
import { bucketOf } from '@portcullis/contracts/snapshot';
import { PrismaClient, type Transaction } from '@portcullis/database';
import type { z } from 'zod';
import type { Author, Subject } from '../changes/author.js';
import { only, PolicyChanges, type Changed, type Dirty, type MadeChange, type PolicyChange } from '../changes/policy-changes.js';
import { identifyAll } from '../database/identify-all.js';
import { decodeCursor, IdCursor, pageFrom } from '../http/paging.js';
import { notFound } from '../http/problem.js';
import { findAbout, newGrant, updatedRow } from './grant-columns.js';
import { deleteGrants, findGrants, insertGrants, listGrants, updateGrants, type GrantRow } from './grants.repository.js';
import { described, toGrant } from './to-grant.js';

/** A change that many make together. */
export interface GrantUpdate {
  readonly id: string;
  readonly change: UpdateGrant;
}

/** Grants: which agent or group may (or may not) use what of which server. */
@Injectable()
export class GrantsService {
  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(PolicyChanges) private readonly changes: PolicyChanges,
  ) {}

  async list({ agent, group, server, mode, cursor, limit }: ListGrantsQuery): Promise<z.infer<typeof GrantPage>> {
    const [after] = decodeCursor(cursor, IdCursor) ?? [];
    const idOf = async (table: Parameters<typeof identifyAll>[1], reference: string | undefined): Promise<string | undefined> =>
      reference === undefined ? undefined : (await identifyAll(this.database, table, [reference]))(reference).id;
    const filter = { agentId: await idOf('agent', agent), groupId: await idOf('agent_group', group), serverId: await idOf('server', server), mode };
    return pageFrom(await listGrants(this.database, filter, { after, limit }), limit, toGrant, ({ id }) => [id]);
  }

  async read(id: string): Promise<Grant> {
    return toGrant((await existing(this.database, [id]))(id));
  }

  async create(author: Author, grant: CreateGrant): Promise<Changed<Grant>> {
    return this.changes.apply(author, 'grant.created', grant.reason, async (tx) => this.createIn(tx, author, grant));
  }

  /** Makes the grant as part of a change that does more. */
  async createIn(tx: Transaction, author: Author, grant: CreateGrant): Promise<MadeChange<Grant>> {
    return only(await this.createAllIn(tx, author, [grant]));
  }

  /** Makes many as part of one change, in their order, by few statements. */
  async createAllIn(tx: Transaction, author: Author, grants: readonly CreateGrant[]): Promise<MadeChange<Grant>[]> {
    const aboutOf = await findAbout(tx, grants);
    const rows = grants.map((grant) => newGrant(grant, author, aboutOf(grant)));
    await insertGrants(tx, rows);
    return rows.map((row) => ({ result: toGrant(row), subject: grantSubject(row), change: described(row), dirty: [grantBucket(row)] }));
  }

  async update(author: Author, id: string, wanted: UpdateGrant): Promise<Changed<Grant>> {
    return this.changes.apply(author, 'grant.updated', wanted.reason, async (tx) => only(await this.updateAllIn(tx, [{ id, change: wanted }])));
  }

  /** Changes many as part of one change, in their order. */
  async updateAllIn(tx: Transaction, updates: readonly GrantUpdate[]): Promise<PolicyChange<Grant>[]> {
    const rows = await existing(
      tx,
      updates.map(({ id }) => id),
    );
    const changed = new Map<string, GrantRow>();
    const done = updates.map(({ id, change }): PolicyChange<Grant> => {
      const row = changed.get(id) ?? rows(id);
      const updated = updatedRow(row, change);
      if (updated === undefined) return { result: toGrant(row), unchanged: true };
      changed.set(id, updated);
      const both = { before: described(row), after: described(updated) };
      return { result: toGrant(updated), subject: grantSubject(row), change: both, dirty: [grantBucket(row)] };
    });
    await updateGrants(tx, [...changed.values()]);
    return done;
  }

  async delete(author: Author, id: string): Promise<Changed<undefined>> {
    return this.changes.apply(author, 'grant.deleted', undefined, async (tx) => only(await this.deleteAllIn(tx, [id])));
  }

  /** Deletes many as part of one change. */
  async deleteAllIn(tx: Transaction, ids: readonly string[]): Promise<MadeChange<undefined>[]> {
    const rows = await existing(tx, ids);
    const gone = new Set<string>();
    const done = ids.map((id) => {
      const row = rows(id);
      if (gone.has(id)) throw notFound('grant');
      gone.add(id);
      return { result: undefined, subject: grantSubject(row), change: { deleted: true, ...described(row) }, dirty: [grantBucket(row)] };
    });
    await deleteGrants(tx, ids);
    return done;
  }
}

/** The rows with these ids. Whoever asks for one that is none of them is refused (404). */
async function existing(db: Transaction, ids: readonly string[]): Promise<(id: string) => GrantRow> {
  const rows = new Map((await findGrants(db, ids)).map((row) => [row.id, row]));
  return (id) => {
    const row = rows.get(id);
    if (row === undefined) throw notFound('grant');
    return row;
  };
}

/** Grants lie in the bucket of their subject. */
const grantBucket = ({ agentId, groupId, id }: GrantRow): Dirty => ({ kind: 'grants', bucket: bucketOf(agentId ?? groupId ?? id) });

const grantSubject = ({ id }: GrantRow): Subject => ({ kind: 'grant', id });
