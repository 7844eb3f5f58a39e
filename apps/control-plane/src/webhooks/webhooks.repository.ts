import type { DeliveryState } from '@portcullis/contracts/api/webhooks';
import type { Transaction, Webhook, WebhookDelivery } from '@portcullis/database';
import type { Subject } from '../changes/author.js';
import { notFound } from '../http/problem.js';

/** By id, which is the order of their making; one more than asked for. */
export async function listWebhooks(db: Transaction, { after, limit }: { after: string | undefined; limit: number }): Promise<Webhook[]> {
  return db.webhook.findMany({ where: after === undefined ? {} : { id: { gt: after } }, orderBy: { id: 'asc' }, take: limit + 1 });
}

/** Refuses (404) what does not exist. */
export async function requireWebhook(db: Transaction, id: string): Promise<Webhook> {
  const row = await db.webhook.findUnique({ where: { id } });
  if (row === null) throw notFound('webhook');
  return row;
}

export const subjectOf = ({ id }: Webhook): Subject => ({ kind: 'webhook', id });

export interface NewDelivery {
  readonly id: string;
  readonly webhookId: string;
  readonly alertId: string | null;
  readonly type: string;
  readonly body: string;
}

/** Written with what it tells of, so that neither is without the other. */
export async function insertDeliveries(tx: Transaction, deliveries: readonly NewDelivery[]): Promise<void> {
  const now = new Date();
  await tx.webhookDelivery.createMany({ data: deliveries.map((delivery) => ({ ...delivery, createdAt: now, nextAttemptAt: now })) });
}

/** Newest first, one more than asked for. */
export async function listDeliveries(
  db: Transaction,
  webhookId: string,
  { state, before, limit }: { state: DeliveryState | undefined; before: string | undefined; limit: number },
): Promise<WebhookDelivery[]> {
  const where = { webhookId, ...(state === undefined ? {} : { state }), ...(before === undefined ? {} : { id: { lt: before } }) };
  return db.webhookDelivery.findMany({ where, orderBy: { id: 'desc' }, take: limit + 1 });
}

export async function findDelivery(db: Transaction, id: string): Promise<(WebhookDelivery & { webhook: Webhook }) | null> {
  return db.webhookDelivery.findUnique({ where: { id }, include: { webhook: true } });
}

/** Those whose time has come and gone: their job was lost with Redis, or never got there. */
export async function overdueDeliveries(db: Transaction, before: Date, limit: number): Promise<string[]> {
  const rows = await db.webhookDelivery.findMany({
    where: { state: 'pending', nextAttemptAt: { lt: before } },
    select: { id: true },
    orderBy: { nextAttemptAt: 'asc' },
    take: limit,
  });
  return rows.map(({ id }) => id);
}

/** What was told is kept for a month; what was not, until somebody looked at it, for three. */
export async function forgetDeliveries(db: Transaction, now: Date): Promise<void> {
  const ago = (days: number): Date => new Date(now.getTime() - days * 86_400_000);
  await db.webhookDelivery.deleteMany({ where: { state: 'delivered', createdAt: { lt: ago(30) } } });
  await db.webhookDelivery.deleteMany({ where: { state: 'dead', createdAt: { lt: ago(90) } } });
}
