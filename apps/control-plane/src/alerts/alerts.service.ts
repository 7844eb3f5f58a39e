import { Inject, Injectable } from '@nestjs/common';
import {
  Alert,
  AlertCondition,
  type AlertPage,
  type AlertRule,
  type AlertRulePage,
  type CreateAlertRule,
  type ListAlertsQuery,
  type UpdateAlertRule,
} from '@portcullis/contracts/api/alerts';
import type { PageQuery } from '@portcullis/contracts/api/conventions';
import { PrismaClient, type Alert as AlertRow, type AlertRule as RuleRow, type Prisma, type Transaction } from '@portcullis/database';
import type { z } from 'zod';
import type { Author, Subject } from '../changes/author.js';
import { RecordedChanges } from '../changes/recorded-changes.js';
import { differing } from '../database/differing.js';
import { decodeCursor, IdCursor, pageFrom } from '../http/paging.js';
import { notFound, ProblemError } from '../http/problem.js';

/** What is worth telling somebody, and what was told. */
@Injectable()
export class AlertsService {
  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(RecordedChanges) private readonly changes: RecordedChanges,
  ) {}

  async list({ cursor, limit, rule, kind }: ListAlertsQuery): Promise<z.infer<typeof AlertPage>> {
    const [before] = decodeCursor(cursor, IdCursor) ?? [];
    const where = {
      ...(rule === undefined ? {} : { ruleId: rule }),
      ...(kind === undefined ? {} : { kind }),
      ...(before === undefined ? {} : { id: { lt: before } }),
    };
    const rows = await this.database.alert.findMany({ where, orderBy: { id: 'desc' }, take: limit + 1 });
    const rules = await this.database.alertRule.findMany({ where: { id: { in: rows.map(({ ruleId }) => ruleId) } }, select: { id: true } });
    const known = new Set(rules.map(({ id }) => id));
    return pageFrom(
      rows,
      limit,
      (row) => toAlert(row, known),
      ({ id }) => [id],
    );
  }

  async rules({ cursor, limit }: PageQuery): Promise<z.infer<typeof AlertRulePage>> {
    const [after] = decodeCursor(cursor, IdCursor) ?? [];
    const where = after === undefined ? {} : { id: { gt: after } };
    return pageFrom(await this.database.alertRule.findMany({ where, orderBy: { id: 'asc' }, take: limit + 1 }), limit, toRule, ({ id }) => [id]);
  }

  async read(id: string): Promise<AlertRule> {
    return toRule(await found(this.database, id));
  }

  async create(author: Author, rule: CreateAlertRule): Promise<AlertRule> {
    return this.changes.apply(author, 'alert-rule.created', async (tx) => {
      await requireWebhooks(tx, rule.webhooks);
      const { when, webhooks: webhookIds, ...fields } = rule;
      const row = await tx.alertRule.create({ data: { ...fields, webhookIds, kind: when.kind, condition: plain(when), createdBy: author.name } });
      return { result: toRule(row), subject: subjectOf(row), change: rule };
    });
  }

  async update(author: Author, id: string, wanted: UpdateAlertRule): Promise<AlertRule> {
    return this.changes.apply(author, 'alert-rule.updated', async (tx) => {
      const row = await found(tx, id);
      const change = differing(toRule(row), wanted);
      if (Object.keys(change).length === 0) return { result: toRule(row), unchanged: true };
      const { when, webhooks, ...fields } = change;
      if (webhooks !== undefined) await requireWebhooks(tx, webhooks);
      const condition = when === undefined ? {} : { kind: when.kind, condition: plain(when) };
      const data = { ...fields, ...condition, ...(webhooks === undefined ? {} : { webhookIds: webhooks }) } as Prisma.AlertRuleUpdateInput;
      return { result: toRule(await tx.alertRule.update({ where: { id }, data })), subject: subjectOf(row), change };
    });
  }

  async delete(author: Author, id: string): Promise<void> {
    await this.changes.apply(author, 'alert-rule.deleted', async (tx) => {
      const row = await found(tx, id);
      await tx.alertRule.delete({ where: { id } });
      return { result: undefined, subject: subjectOf(row), change: { deleted: true } };
    });
  }
}

async function found(db: Transaction, id: string): Promise<RuleRow> {
  const row = await db.alertRule.findUnique({ where: { id } });
  if (row === null) throw notFound('alert rule');
  return row;
}

async function requireWebhooks(tx: Transaction, ids: readonly string[]): Promise<void> {
  const rows = await tx.webhook.findMany({ where: { id: { in: [...ids] } }, select: { id: true } });
  const known = new Set(rows.map(({ id }) => id));
  const faults = ids.flatMap((id, index) => (known.has(id) ? [] : [{ pointer: `/webhooks/${index}`, detail: 'is no webhook' }]));
  if (faults.length > 0) throw new ProblemError('validation', undefined, faults);
}

const plain = (when: AlertCondition): Prisma.InputJsonObject => JSON.parse(JSON.stringify(when)) as Prisma.InputJsonObject;

const subjectOf = ({ id }: RuleRow): Subject => ({ kind: 'alert-rule', id });

function toRule({ id, name, enabled, condition, severity, webhookIds, quietSeconds, createdBy, createdAt, updatedAt }: RuleRow): AlertRule {
  return {
    id,
    name,
    enabled,
    when: AlertCondition.parse(condition),
    severity: Alert.shape.severity.parse(severity),
    webhooks: webhookIds,
    quietSeconds,
    createdBy,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  };
}

function toAlert({ subjectKey: _key, ruleId, at, ...row }: AlertRow, known: ReadonlySet<string>): Alert {
  return Alert.parse({ ...row, at: at.toISOString(), ruleId: known.has(ruleId) ? ruleId : null });
}
