import { z } from 'zod';
import { Id } from '../names.js';
import { pageOf, pageQuery, Timestamp } from './conventions.js';

/** A secret of Standard Webhooks: `whsec_` and the base64 of 24 to 64 bytes. */
export const WebhookSecret = z
  .string()
  .regex(/^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/, 'must be whsec_ and the base64 of 24 to 64 bytes')
  .refine((text) => {
    const bytes = Math.floor((text.slice('whsec_'.length).replace(/=+$/, '').length * 3) / 4);
    return bytes >= 24 && bytes <= 64;
  }, 'must be whsec_ and the base64 of 24 to 64 bytes');

const name = z.string().trim().min(1).max(200);
const url = z.url({ protocol: /^https?$/ }).max(2048);

export const CreateWebhook = z
  .strictObject({
    name,
    url,
    /** Made, and shown in the answer, where none is given. */
    secret: WebhookSecret.optional(),
    enabled: z.boolean().default(true),
  })
  .meta({ id: 'CreateWebhook', examples: [{ name: 'pager', url: 'https://hooks.example.com/portcullis' }] });
export type CreateWebhook = z.infer<typeof CreateWebhook>;

/** What is left out stays as it is. Enabling one that was disabled for its receiver's answers begins anew. */
export const UpdateWebhook = z.strictObject({ name, url, enabled: z.boolean() }).partial().meta({ id: 'UpdateWebhook' });
export type UpdateWebhook = z.infer<typeof UpdateWebhook>;

/** With the secret before it, for as long as both sign; the time is 24 hours unless it is given. */
export const RotateWebhookSecret = z
  .strictObject({ secret: WebhookSecret.optional(), bothForSeconds: z.number().int().min(0).max(604_800).default(86_400) })
  .meta({ id: 'RotateWebhookSecret' });
export type RotateWebhookSecret = z.infer<typeof RotateWebhookSecret>;

/** An address that is told of alerts, with requests that are signed as Standard Webhooks has it. No answer but the first ever holds the secret. */
export const Webhook = z
  .object({
    id: Id,
    name: z.string(),
    url: z.string(),
    enabled: z.boolean(),
    /** Until when requests are signed with the secret of before as well. */
    previousSecretUntil: Timestamp.nullable(),
    /** Why it was disabled, where nobody did it by hand. */
    disabledReason: z.string().nullable(),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  })
  .meta({ id: 'Webhook' });
export type Webhook = z.infer<typeof Webhook>;
export const WebhookPage = pageOf(Webhook).meta({ id: 'WebhookPage' });

/** `secret` is shown here and never again; null where the operator gave it. */
export const WebhookWithSecret = Webhook.extend({ secret: z.string().nullable() }).meta({ id: 'WebhookWithSecret' });
export type WebhookWithSecret = z.infer<typeof WebhookWithSecret>;

/** `pending`: still to be sent, or to be sent again. `dead`: given up, until somebody has it sent again. */
export const DeliveryState = z.enum(['pending', 'delivered', 'dead']);
export type DeliveryState = z.infer<typeof DeliveryState>;

/** One message to one address. `webhookId` is the same in every attempt, so that a receiver can tell repetitions. */
export const WebhookDelivery = z
  .object({
    id: Id,
    webhookId: Id,
    /** What the receiver sees as `webhook-id`. */
    messageId: z.string(),
    type: z.string(),
    alertId: Id.nullable(),
    state: DeliveryState,
    attempts: z.number().int(),
    createdAt: Timestamp,
    nextAttemptAt: Timestamp.nullable(),
    deliveredAt: Timestamp.nullable(),
    /** Of the last attempt; null where nothing answered. */
    lastStatus: z.number().int().nullable(),
    lastError: z.string().nullable(),
  })
  .meta({ id: 'WebhookDelivery' });
export type WebhookDelivery = z.infer<typeof WebhookDelivery>;
export const WebhookDeliveryPage = pageOf(WebhookDelivery).meta({ id: 'WebhookDeliveryPage' });

/** Newest first; `state=dead` is the dead letter list. */
export const ListDeliveriesQuery = z.strictObject({ ...pageQuery, state: DeliveryState.optional() });
export type ListDeliveriesQuery = z.infer<typeof ListDeliveriesQuery>;

/** What came of a message that was sent at once. */
export const WebhookTestResult = z
  .object({ delivered: z.boolean(), status: z.number().int().nullable(), error: z.string().nullable(), durationMs: z.number() })
  .meta({ id: 'WebhookTestResult' });
export type WebhookTestResult = z.infer<typeof WebhookTestResult>;
