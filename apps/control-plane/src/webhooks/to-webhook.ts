import { DeliveryState, type Webhook, type WebhookDelivery } from '@portcullis/contracts/api/webhooks';
import type { Webhook as WebhookRow, WebhookDelivery as DeliveryRow } from '@portcullis/database';

/** What receivers see as `webhook-id`. */
export const messageIdOf = (deliveryId: string): string => `msg_${deliveryId.replaceAll('-', '')}`;

export function toWebhook({ id, name, url, enabled, disabledReason, previousUntil, createdAt, updatedAt }: WebhookRow): Webhook {
  const isBoth = previousUntil !== null && previousUntil.getTime() > Date.now();
  return {
    id,
    name,
    url,
    enabled,
    disabledReason,
    previousSecretUntil: isBoth ? previousUntil.toISOString() : null,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  };
}

export function toDelivery({ id, webhookId, type, alertId, state, attempts, lastStatus, lastError, ...times }: DeliveryRow): WebhookDelivery {
  return {
    id,
    webhookId,
    messageId: messageIdOf(id),
    type,
    alertId,
    state: DeliveryState.parse(state),
    attempts,
    createdAt: times.createdAt.toISOString(),
    nextAttemptAt: times.nextAttemptAt?.toISOString() ?? null,
    deliveredAt: times.deliveredAt?.toISOString() ?? null,
    lastStatus,
    lastError,
  };
}
