import { Inject, Injectable } from '@nestjs/common';
import type {
  CreateRequestable,
  ListRequestableQuery,
  Requestable,
  RequestablePage,
  UpdateRequestable,
} from '@portcullis/contracts/api/access-requests';
import { TargetSelector } from '@portcullis/contracts/grants';
import { bucketOf } from '@portcullis/contracts/snapshot';
import { PrismaClient, type Transaction } from '@portcullis/database';
import { v7 } from 'uuid';
import type { z } from 'zod';
import type { Author, Subject } from '../changes/author.js';
import { only, PolicyChanges, type Changed, type Dirty, type MadeChange } from '../changes/policy-changes.js';
import { differing } from '../database/differing.js';
import { findAbout } from '../grants/grant-columns.js';
import { aboutOnly, idsOf } from '../grants/grants.repository.js';
import { decodeCursor, IdCursor, pageFrom } from '../http/paging.js';
import { notFound } from '../http/problem.js';
import {
  deleteRequestable,
  findRequestable,
  insertRequestables,
  listRequestable,
  updateRequestable,
  type RequestableRow,
} from './requestable.repository.js';

/** What agents may ask for. Whoever such a rule speaks to sees the gateway's own tools for asking. */
@Injectable()
export class RequestableService {
  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(PolicyChanges) private readonly changes: PolicyChanges,
  ) {}

  async list({ cursor, limit, ...named }: ListRequestableQuery): Promise<z.infer<typeof RequestablePage>> {
    const [after] = decodeCursor(cursor, IdCursor) ?? [];
    const about = aboutOnly((await findAbout(this.database, [named]))(named));
    return pageFrom(await listRequestable(this.database, about, { after, limit }), limit, toRequestable, ({ id }) => [id]);
  }

  async read(id: string): Promise<Requestable> {
    return toRequestable(await find(this.database, id));
  }

  async create(author: Author, rule: CreateRequestable): Promise<Changed<Requestable>> {
    return this.changes.apply(author, 'requestable.created', rule.reason, async (tx) => only(await this.createAllIn(tx, author, [rule])));
  }

  /** Makes many as part of one change, in their order, by few statements. */
  async createAllIn(tx: Transaction, author: Author, rules: readonly CreateRequestable[]): Promise<MadeChange<Requestable>[]> {
    const aboutOf = await findAbout(tx, rules);
    const rows = rules.map((rule): RequestableRow => {
      const { kind, names, durationSecondsMax, selector, reason } = rule;
      const about = aboutOf(rule);
      const now = new Date();
      const columns = { id: v7(), kind, names: [...new Set(names)], durationSecondsMax, selector: selector ?? null, reason: reason ?? null };
      return { ...about, ...idsOf(about), ...columns, createdBy: author.name, createdAt: now, updatedAt: now };
    });
    await insertRequestables(tx, rows);
    return rows.map((row) => ({ result: toRequestable(row), subject: subjectOf(row), change: described(row), dirty: [bucketOfSubject(row)] }));
  }

  async update(author: Author, id: string, { reason, ...wanted }: UpdateRequestable): Promise<Changed<Requestable>> {
    return this.changes.apply(author, 'requestable.updated', reason, async (tx) => {
      const row = await find(tx, id);
      const change = differing(row, wanted);
      if (Object.keys(change).length === 0) return { result: toRequestable(row), unchanged: true };
      const { names = row.names, durationSecondsMax = row.durationSecondsMax } = change;
      const updated = await updateRequestable(tx, id, { names: [...new Set(names)], durationSecondsMax, reason: reason ?? row.reason });
      const both = { before: described(row), after: described(updated) };
      return { result: toRequestable(updated), subject: subjectOf(row), change: both, dirty: [bucketOfSubject(row)] };
    });
  }

  async delete(author: Author, id: string): Promise<Changed<undefined>> {
    return this.changes.apply(author, 'requestable.deleted', undefined, async (tx) => {
      const row = await find(tx, id);
      await deleteRequestable(tx, id);
      return { result: undefined, subject: subjectOf(row), change: { deleted: true, ...described(row) }, dirty: [bucketOfSubject(row)] };
    });
  }
}

async function find(db: Transaction, id: string): Promise<RequestableRow> {
  const row = await findRequestable(db, id);
  if (row === null) throw notFound('requestable rule');
  return row;
}

/** Nodes have it as a grant of the gateway's own tools. */
const bucketOfSubject = ({ agentId, groupId, id }: RequestableRow): Dirty => ({ kind: 'grants', bucket: bucketOf(agentId ?? groupId ?? id) });

const subjectOf = ({ id }: RequestableRow): Subject => ({ kind: 'requestable', id });

function described(row: RequestableRow): Omit<Requestable, 'id' | 'createdBy' | 'createdAt' | 'updatedAt'> {
  const { id: _id, createdBy: _createdBy, createdAt: _createdAt, updatedAt: _updatedAt, ...rest } = toRequestable(row);
  return rest;
}

export function toRequestable(row: RequestableRow): Requestable {
  return {
    id: row.id,
    subject: row.agent === null ? { group: row.group?.slug ?? '' } : { agent: row.agent.slug },
    server: row.server?.slug ?? null,
    selector: row.selector === null ? null : TargetSelector.parse(row.selector),
    kind: row.kind,
    names: row.names,
    durationSecondsMax: row.durationSecondsMax,
    reason: row.reason,
    createdBy: row.createdBy,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}
