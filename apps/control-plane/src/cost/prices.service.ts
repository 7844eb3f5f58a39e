import { Inject, Injectable } from '@nestjs/common';
import type { PageQuery } from '@portcullis/contracts/api/conventions';
import { type CreatePrice, type Price, PriceBasis, type PricePage } from '@portcullis/contracts/api/costs';
import { PrismaClient, type Price as PriceRow, type Transaction } from '@portcullis/database';
import type { z } from 'zod';
import type { Author, Subject } from '../changes/author.js';
import type { Dirty } from '../changes/dirty.js';
import { PolicyChanges, type Changed } from '../changes/policy-changes.js';
import { orConflict } from '../database/or-conflict.js';
import { decodeCursor, IdCursor, pageFrom } from '../http/paging.js';
import { notFound, ProblemError } from '../http/problem.js';
import { pricesChanged } from './cost-days.js';

/** So many numbers may be read from the results of calls. */
const UNITS_MAX = 16;

/** What calls cost. A price is not changed: another follows it. Nodes record what prices ask for, so that prices are policy. */
@Injectable()
export class PricesService {
  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(PolicyChanges) private readonly changes: PolicyChanges,
  ) {}

  async list({ cursor, limit }: PageQuery): Promise<z.infer<typeof PricePage>> {
    const [after] = decodeCursor(cursor, IdCursor) ?? [];
    const where = after === undefined ? {} : { id: { gt: after } };
    return pageFrom(await this.database.price.findMany({ where, orderBy: { id: 'asc' }, take: limit + 1 }), limit, toPrice, ({ id }) => [id]);
  }

  async read(id: string): Promise<Price> {
    const row = await this.database.price.findUnique({ where: { id } });
    if (row === null) throw notFound('price');
    return toPrice(row);
  }

  async create(author: Author, { effectiveFrom, amountMicros, per, ...fields }: CreatePrice): Promise<Changed<Price>> {
    const from = effectiveFrom === undefined ? new Date() : new Date(effectiveFrom);
    const work = this.changes.apply(author, 'price.created', undefined, async (tx) => {
      const data = { ...fields, amountMicros: BigInt(amountMicros), per: BigInt(per), effectiveFrom: from, createdBy: author.name };
      const row = await tx.price.create({ data });
      await requireFewUnits(tx);
      await pricesChanged(tx, from);
      const change = { ...fields, amountMicros, per, effectiveFrom: from.toISOString() };
      return { result: toPrice(row), subject: subjectOf(row), change, dirty: dirtyOf(row) };
    });
    return orConflict(work, 'There is a price of these names from that time on already.');
  }

  /** What it was for costs what it would without it, in the past as well. */
  async delete(author: Author, id: string): Promise<Changed<void>> {
    return this.changes.apply(author, 'price.deleted', undefined, async (tx) => {
      const row = await tx.price.findUnique({ where: { id } });
      if (row === null) throw notFound('price');
      await tx.price.delete({ where: { id } });
      await pricesChanged(tx, row.effectiveFrom);
      return { result: undefined, subject: subjectOf(row), change: { deleted: toPrice(row) }, dirty: dirtyOf(row) };
    });
  }
}

/** Nodes read all of them from a result whose tool any price matches. */
async function requireFewUnits(tx: Transaction): Promise<void> {
  const units = await tx.price.groupBy({ by: ['unit'], where: { unit: { not: null } } });
  if (units.length > UNITS_MAX) throw new ProblemError('unprocessable', `There are prices by ${UNITS_MAX} different units already.`);
}

/** Units are part of the settings that nodes have. */
const dirtyOf = ({ unit }: PriceRow): Dirty[] => (unit === null ? [] : [{ kind: null, bucket: 0 }]);

const subjectOf = ({ id }: PriceRow): Subject => ({ kind: 'price', id });

const toPrice = ({ basis, amountMicros, per, effectiveFrom, createdAt, ...row }: PriceRow): Price => ({
  ...row,
  basis: PriceBasis.parse(basis),
  amountMicros: String(amountMicros),
  per: Number(per),
  effectiveFrom: effectiveFrom.toISOString(),
  createdAt: createdAt.toISOString(),
});
