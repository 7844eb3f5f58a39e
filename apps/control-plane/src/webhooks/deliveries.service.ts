import { Inject, Injectable } from '@nestjs/common';
import type { ListDeliveriesQuery, WebhookDelivery, WebhookDeliveryPage, WebhookTestResult } from '@portcullis/contracts/api/webhooks';
import { PrismaClient } from '@portcullis/database';
import { v7 } from 'uuid';
import type { z } from 'zod';
import type { Author } from '../changes/author.js';
import { RecordedChanges } from '../changes/recorded-changes.js';
import { decodeCursor, IdCursor, pageFrom } from '../http/paging.js';
import { notFound, ProblemError } from '../http/problem.js';
import { noteAttempt } from './deliver.js';
import { DeliveryQueue } from './delivery-queue.js';
import { toDelivery } from './to-webhook.js';
import { WebhookSender } from './webhook-sender.js';
import { findDelivery, insertDeliveries, listDeliveries, requireWebhook, subjectOf } from './webhooks.repository.js';

/** What was sent to webhooks, is to be sent, or was given up. */
@Injectable()
export class DeliveriesService {
  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(RecordedChanges) private readonly changes: RecordedChanges,
    @Inject(WebhookSender) private readonly sender: WebhookSender,
    @Inject(DeliveryQueue) private readonly queue: DeliveryQueue,
  ) {}

  /** Sends a message at once and tells what came of it. It is not sent again. */
  async test(author: Author, id: string): Promise<WebhookTestResult> {
    const deliveryId = v7();
    await this.changes.apply(author, 'webhook.tested', async (tx) => {
      const row = await requireWebhook(tx, id);
      const body = JSON.stringify({ type: 'webhook.test', timestamp: new Date().toISOString(), data: { webhookId: id, name: row.name } });
      await insertDeliveries(tx, [{ id: deliveryId, webhookId: id, alertId: null, type: 'webhook.test', body }]);
      return { result: undefined, subject: subjectOf(row), change: { deliveryId } };
    });
    const delivery = await findDelivery(this.database, deliveryId);
    if (delivery === null) throw notFound('webhook');
    const attempt = await this.sender.send(delivery.webhook, delivery);
    await noteAttempt(this.database, delivery, attempt, []);
    return { delivered: attempt.isDelivered, status: attempt.status, error: attempt.error, durationMs: attempt.durationMs };
  }

  async list(id: string, { cursor, limit, state }: ListDeliveriesQuery): Promise<z.infer<typeof WebhookDeliveryPage>> {
    await requireWebhook(this.database, id);
    const [before] = decodeCursor(cursor, IdCursor) ?? [];
    const rows = await listDeliveries(this.database, id, { state, before, limit });
    return pageFrom(rows, limit, toDelivery, (row) => [row.id]);
  }

  /** Has it sent once more, whatever became of it, as the same message. */
  async redeliver(author: Author, id: string, deliveryId: string): Promise<WebhookDelivery> {
    const delivery = await this.changes.apply(author, 'webhook.redelivered', async (tx) => {
      const row = await findDelivery(tx, deliveryId);
      if (row === null || row.webhookId !== id) throw notFound('delivery');
      if (!row.webhook.enabled) throw new ProblemError('conflict', 'The webhook is disabled.');
      const data = { state: 'pending', attempts: 0, nextAttemptAt: new Date(), deliveredAt: null };
      return {
        result: await tx.webhookDelivery.update({ where: { id: deliveryId }, data }),
        subject: subjectOf(row.webhook),
        change: { deliveryId },
      };
    });
    await this.queue.addAgain(deliveryId);
    return toDelivery(delivery);
  }
}
