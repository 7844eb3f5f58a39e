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
import { path } from './path.js';
import type { MatchOptions, Send } from './send.js';

/** What was raised, newest first. */
export type AlertsApi = ListRoute<Partial<ListAlertsQuery>, z.output<typeof AlertPage>>;

export const alertsApi = (send: Send): AlertsApi => listRoute(send, '/v1/alerts', AlertPage);

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
    list: listRoute(send, '/v1/alert-rules', AlertRulePage),
    create: async (body) => (await send({ method: 'POST', path: '/v1/alert-rules', body, answer: AlertRule })).value,
    read: async (id) => (await send({ method: 'GET', path: path`/v1/alert-rules/${id}`, answer: AlertRule })).value,
    update: async (id, body, query) => (await send({ method: 'PATCH', path: path`/v1/alert-rules/${id}`, query, body, answer: AlertRule })).value,
    delete: async (id, query) => (await send({ method: 'DELETE', path: path`/v1/alert-rules/${id}`, query, answer: z.void() })).value,
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
  const at = (id: string, verb: string): string => path`/v1/webhooks/${id}/${verb}`;
  return {
    list: listRoute(send, '/v1/webhooks', WebhookPage),
    create: async (body) => (await send({ method: 'POST', path: '/v1/webhooks', body, answer: WebhookWithSecret })).value,
    read: async (id) => (await send({ method: 'GET', path: path`/v1/webhooks/${id}`, answer: Webhook })).value,
    update: async (id, body, query) => (await send({ method: 'PATCH', path: path`/v1/webhooks/${id}`, query, body, answer: Webhook })).value,
    delete: async (id, query) => (await send({ method: 'DELETE', path: path`/v1/webhooks/${id}`, query, answer: z.void() })).value,
    rotateSecret: async (id, body = {}) => (await send({ method: 'POST', path: at(id, 'rotate-secret'), body, answer: WebhookWithSecret })).value,
    test: async (id) => (await send({ method: 'POST', path: at(id, 'test'), answer: WebhookTestResult })).value,
    deliveries: (id) => listRoute(send, at(id, 'deliveries'), WebhookDeliveryPage),
    redeliver: async (id, delivery) =>
      (await send({ method: 'POST', path: path`/v1/webhooks/${id}/deliveries/${delivery}/redeliver`, answer: WebhookDelivery })).value,
  };
}
