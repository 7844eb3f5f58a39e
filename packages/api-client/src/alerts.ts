import {
  AlertPage,
  AlertRule,
  AlertRulePage,
  type CreateAlertRule,
  type ListAlertsQuery,
  type UpdateAlertRule,
} from '@portcullis/contracts/api/alerts';
import type { PageQuery } from '@portcullis/contracts/api/conventions';
import {
  type CreateWebhook,
  type ListDeliveriesQuery,
  type RotateWebhookSecret,
  type UpdateWebhook,
  Webhook,
  WebhookDelivery,
  WebhookDeliveryPage,
  WebhookPage,
  WebhookTestResult,
  WebhookWithSecret,
} from '@portcullis/contracts/api/webhooks';
import { z } from 'zod';
import { type ListRoute, listRoute } from './list-route.js';
import type { MatchOptions, Send } from './send.js';

/** What was raised, newest first. */
export type AlertsApi = ListRoute<Partial<ListAlertsQuery>, z.output<typeof AlertPage>>;

export const alertsApi = (send: Send): AlertsApi => listRoute(send, 'GET /v1/alerts', AlertPage);

/** What is worth telling somebody. */
export interface AlertRulesApi {
  list: ListRoute<Partial<PageQuery>, z.output<typeof AlertRulePage>>;
  create(rule: z.input<typeof CreateAlertRule>): Promise<AlertRule>;
  read(id: string): Promise<AlertRule>;
  update(id: string, change: z.input<typeof UpdateAlertRule>, options?: MatchOptions): Promise<AlertRule>;
  delete(id: string, options?: MatchOptions): Promise<void>;
}

export function alertRulesApi(send: Send): AlertRulesApi {
  return {
    list: listRoute(send, 'GET /v1/alert-rules', AlertRulePage),
    create: async (body) => (await send({ route: 'POST /v1/alert-rules', body, answer: AlertRule })).value,
    read: async (id) => (await send({ route: 'GET /v1/alert-rules/{id}', at: [id], answer: AlertRule })).value,
    update: async (id, body, query) => (await send({ route: 'PATCH /v1/alert-rules/{id}', at: [id], query, body, answer: AlertRule })).value,
    delete: async (id, query) => (await send({ route: 'DELETE /v1/alert-rules/{id}', at: [id], query, answer: z.void() })).value,
  };
}

/** Who is told, and what became of each message. */
export interface WebhooksApi {
  list: ListRoute<Partial<PageQuery>, z.output<typeof WebhookPage>>;
  /** The only answer that ever holds a secret that was made. */
  create(webhook: z.input<typeof CreateWebhook>): Promise<WebhookWithSecret>;
  read(id: string): Promise<Webhook>;
  update(id: string, change: UpdateWebhook, options?: MatchOptions): Promise<Webhook>;
  delete(id: string, options?: MatchOptions): Promise<void>;
  rotateSecret(id: string, rotation?: z.input<typeof RotateWebhookSecret>): Promise<WebhookWithSecret>;
  /** Sends a message at once. */
  test(id: string): Promise<WebhookTestResult>;
  deliveries(id: string): ListRoute<Partial<ListDeliveriesQuery>, z.output<typeof WebhookDeliveryPage>>;
  redeliver(id: string, delivery: string): Promise<WebhookDelivery>;
}

export function webhooksApi(send: Send): WebhooksApi {
  return {
    list: listRoute(send, 'GET /v1/webhooks', WebhookPage),
    create: async (body) => (await send({ route: 'POST /v1/webhooks', body, answer: WebhookWithSecret })).value,
    read: async (id) => (await send({ route: 'GET /v1/webhooks/{id}', at: [id], answer: Webhook })).value,
    update: async (id, body, query) => (await send({ route: 'PATCH /v1/webhooks/{id}', at: [id], query, body, answer: Webhook })).value,
    delete: async (id, query) => (await send({ route: 'DELETE /v1/webhooks/{id}', at: [id], query, answer: z.void() })).value,
    rotateSecret: async (id, body = {}) =>
      (await send({ route: 'POST /v1/webhooks/{id}/rotate-secret', at: [id], body, answer: WebhookWithSecret })).value,
    test: async (id) => (await send({ route: 'POST /v1/webhooks/{id}/test', at: [id], answer: WebhookTestResult })).value,
    deliveries: (id) => listRoute(send, 'GET /v1/webhooks/{id}/deliveries', WebhookDeliveryPage, [id]),
    redeliver: async (id, delivery) =>
      (await send({ route: 'POST /v1/webhooks/{id}/deliveries/{delivery}/redeliver', at: [id, delivery], answer: WebhookDelivery })).value,
  };
}
