import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { Webhook } from '@portcullis/database';
import { createEgress, type Egress } from '@portcullis/egress';
import { describeUnreached } from '../discovery/describe-failure.js';
import { messageIdOf } from './to-webhook.js';
import { signWebhook } from './sign-webhook.js';
import { WebhookSecrets } from './webhook-secrets.js';

/** How one attempt ended. `status` null: nothing answered. */
export interface Attempt {
  readonly isDelivered: boolean;
  readonly status: number | null;
  readonly error: string | null;
  readonly durationMs: number;
}

/** Token of the options of webhooks. */
export const WEBHOOK_OPTIONS = 'WebhookOptions';

export interface WebhookOptions {
  /** CIDR ranges beyond the public network that receivers may lie in. */
  readonly egressAllow?: readonly string[] | undefined;
  /** How long to wait before each further attempt. */
  readonly retryMs?: readonly number[] | undefined;
  readonly answerMsMax?: number | undefined;
}

const ANSWER_MS_MAX = 15_000;

/** Sends signed messages to addresses that operators typed: only where this process may go, no redirect followed, no answer read. */
@Injectable()
export class WebhookSender implements OnApplicationShutdown {
  readonly egress: Egress;
  private readonly answerMsMax: number;

  constructor(
    @Inject(WEBHOOK_OPTIONS) options: WebhookOptions,
    @Inject(WebhookSecrets) private readonly secrets: WebhookSecrets,
  ) {
    this.egress = createEgress({ allow: options.egressAllow ?? [] });
    this.answerMsMax = options.answerMsMax ?? ANSWER_MS_MAX;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.egress.close();
  }

  async send(webhook: Webhook, { id, body }: { readonly id: string; readonly body: string }): Promise<Attempt> {
    const begun = performance.now();
    const ended = (rest: Omit<Attempt, 'durationMs'>): Attempt => ({ ...rest, durationMs: Math.round(performance.now() - begun) });
    try {
      const signed = signWebhook({ id: messageIdOf(id), at: new Date(), body }, this.secrets.signing(webhook));
      const headers = { 'content-type': 'application/json', 'user-agent': 'Portcullis', ...signed };
      const response = await this.egress.fetch(webhook.url, { method: 'POST', headers, body, signal: AbortSignal.timeout(this.answerMsMax) });
      await response.body?.cancel();
      return ended({
        isDelivered: response.ok,
        status: response.status,
        error: response.ok ? null : `The receiver answered with HTTP ${response.status}.`,
      });
    } catch (error) {
      const words = describeUnreached(error, webhook.url) ?? 'The message could not be sent.';
      return ended({ isDelivered: false, status: null, error: words });
    }
  }
}
