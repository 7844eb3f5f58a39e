import type { PrismaClient, Webhook, WebhookDelivery } from '@portcullis/database';
import { inTransaction } from '../changes/in-transaction.js';
import { recordAction } from '../changes/record-action.js';
import type { Attempt } from './webhook-sender.js';

/** Eighteen hours in all: what a receiver's outage over night takes. */
export const RETRY_MS: readonly number[] = [5_000, 60_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000];

const GONE = 410;
const AUTHOR = { name: 'portcullis/alerts' };

/** Writes down how an attempt ended, and gives how long to wait before the next; undefined where there is none. */
export async function noteAttempt(
  database: PrismaClient,
  { id, attempts: before, webhook }: WebhookDelivery & { webhook: Webhook },
  { isDelivered, status, error }: Attempt,
  retryMs: readonly number[],
): Promise<number | undefined> {
  const attempts = before + 1;
  const isGone = status === GONE;
  const waitMs = isDelivered || isGone ? undefined : retryMs[attempts - 1];
  const now = Date.now();
  const state = isDelivered ? 'delivered' : waitMs === undefined ? 'dead' : 'pending';
  await inTransaction(database, async (tx) => {
    await tx.webhookDelivery.updateMany({
      where: { id, state: 'pending' },
      data: {
        attempts,
        state,
        lastStatus: status,
        lastError: error,
        deliveredAt: isDelivered ? new Date(now) : null,
        nextAttemptAt: waitMs === undefined ? null : new Date(now + waitMs),
      },
    });
    if (!isGone || !webhook.enabled) return;
    const reason = 'The receiver answered that it is gone (HTTP 410).';
    await tx.webhook.updateMany({ where: { id: webhook.id }, data: { enabled: false, disabledReason: reason } });
    const subject = { kind: 'webhook', id: webhook.id };
    await recordAction(tx, AUTHOR, { action: 'webhook.disabled', detail: { subject, change: { enabled: false, reason } } });
  });
  return waitMs;
}
