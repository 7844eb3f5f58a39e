import { Inject, Injectable } from '@nestjs/common';
import type { PageQuery } from '@portcullis/contracts/api/conventions';
import type {
  CreateOperator,
  CreatedOperatorToken,
  CreateOperatorToken,
  Operator,
  OperatorPage,
  OperatorToken,
  OperatorTokenPage,
  UpdateOperator,
} from '@portcullis/contracts/api/operations';
import { PrismaClient, type Operator as OperatorRow, type OperatorToken as TokenRow, type Transaction } from '@portcullis/database';
import { hashBearer, newBearer } from '@portcullis/secrets';
import type { z } from 'zod';
import type { Author, Subject } from '../changes/author.js';
import { RecordedChanges } from '../changes/recorded-changes.js';
import { differing } from '../database/differing.js';
import { orConflict } from '../database/or-conflict.js';
import { futureTime } from '../http/future-time.js';
import { decodeCursor, pageFrom, TextCursor } from '../http/paging.js';
import { notFound, ProblemError } from '../http/problem.js';
import { KeyRing } from '../keys/key-ring.js';
import * as rows from './operators.repository.js';

/** People who use this API. There is always an enabled administrator. */
@Injectable()
export class OperatorsService {
  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(RecordedChanges) private readonly changes: RecordedChanges,
    @Inject(KeyRing) private readonly keys: KeyRing,
  ) {}

  async list({ cursor, limit }: PageQuery): Promise<z.infer<typeof OperatorPage>> {
    const [after] = decodeCursor(cursor, TextCursor) ?? [];
    return pageFrom(await rows.listOperators(this.database, { after, limit }), limit, toOperator, ({ name }) => [name]);
  }

  async read(reference: string): Promise<Operator> {
    return toOperator(await this.find(this.database, reference));
  }

  async create(author: Author, { name, role, breakGlass }: CreateOperator): Promise<Operator> {
    const work = this.changes.apply(author, 'operator.created', async (tx) => {
      const row = await rows.insertOperator(tx, { name, role, breakGlass });
      return { result: toOperator(row), subject: subjectOf(row), change: { role, breakGlass } };
    });
    return orConflict(work, `There is an operator ${name} already.`);
  }

  async update(author: Author, reference: string, wanted: UpdateOperator): Promise<Operator> {
    return this.changes.apply(author, 'operator.updated', async (tx) => {
      await rows.lockOperators(tx);
      const row = await this.find(tx, reference);
      const change = differing(toOperator(row), wanted);
      if (Object.keys(change).length === 0) return { result: toOperator(row), unchanged: true };
      if (change.breakGlass === true && row.name === author.name) throw new ProblemError('forbidden', 'Nobody gives this right to themselves.');
      const { role = row.role, enabled = row.enabled, breakGlass = row.breakGlass } = change;
      if (role !== 'admin' || !enabled) await keepAnAdmin(tx, row);
      const updated = await rows.updateOperator(tx, row.id, { role, enabled, breakGlass });
      return { result: toOperator(updated), subject: subjectOf(row), change };
    });
  }

  async delete(author: Author, reference: string): Promise<void> {
    await this.changes.apply(author, 'operator.deleted', async (tx) => {
      await rows.lockOperators(tx);
      const row = await this.find(tx, reference);
      await keepAnAdmin(tx, row);
      await rows.deleteOperator(tx, row.id);
      return { result: undefined, subject: subjectOf(row), change: { deleted: true } };
    });
  }

  async listTokens(reference: string, { cursor, limit }: PageQuery): Promise<z.infer<typeof OperatorTokenPage>> {
    const [after] = decodeCursor(cursor, TextCursor) ?? [];
    const { id } = await this.find(this.database, reference);
    return pageFrom(await rows.listTokens(this.database, id, { after, limit }), limit, toToken, (row) => [row.id]);
  }

  /** The token is in this answer and nowhere else: its keyed hash is kept. */
  async createToken(author: Author, reference: string, { expiresAt }: CreateOperatorToken): Promise<CreatedOperatorToken> {
    const end = futureTime(expiresAt, '/expiresAt');
    const { id, secret, token } = newBearer('operator');
    const pepper = this.keys.currentPepper();
    return this.changes.apply(author, 'operator-token.created', async (tx) => {
      const owner = await this.find(tx, reference);
      const row = await rows.insertToken(tx, { id, operatorId: owner.id, hash: hashBearer(pepper.key, secret), pepperId: pepper.id, expiresAt: end });
      const { createdAt } = toToken(row);
      return { result: { id, token, createdAt, expiresAt }, subject: subjectOf(owner), change: { tokenId: id, expiresAt } };
    });
  }

  async revokeToken(author: Author, reference: string, tokenId: string): Promise<void> {
    await this.changes.apply(author, 'operator-token.revoked', async (tx) => {
      const owner = await this.find(tx, reference);
      const row = await rows.findToken(tx, owner.id, tokenId);
      if (row === null) throw notFound('token of this operator');
      if (row.revokedAt !== null) return { result: undefined, unchanged: true };
      await rows.revokeToken(tx, tokenId, new Date());
      return { result: undefined, subject: subjectOf(owner), change: { tokenId, revoked: true } };
    });
  }

  private async find(db: Transaction, reference: string): Promise<OperatorRow> {
    const row = await rows.findOperator(db, reference);
    if (row === null) throw notFound('operator');
    return row;
  }
}

/** Refuses (409) to take away the last one who could let anybody in again. */
async function keepAnAdmin(tx: Transaction, row: OperatorRow): Promise<void> {
  if (row.role !== 'admin' || !row.enabled) return;
  if ((await rows.countAdmins(tx)) <= 1) throw new ProblemError('conflict', 'This is the last enabled administrator.');
}

const subjectOf = ({ id, name }: OperatorRow): Subject => ({ kind: 'operator', id, slug: name });

function toOperator({ id, name, role, breakGlass, enabled, createdAt }: OperatorRow): Operator {
  return { id, name, role, breakGlass, enabled, createdAt: createdAt.toISOString() };
}

function toToken({ id, createdAt, expiresAt, revokedAt }: TokenRow): OperatorToken {
  return { id, createdAt: createdAt.toISOString(), expiresAt: expiresAt?.toISOString() ?? null, revokedAt: revokedAt?.toISOString() ?? null };
}
