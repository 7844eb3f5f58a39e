import { Inject, Injectable } from '@nestjs/common';
import type { PageQuery } from '@portcullis/contracts/api/conventions';
import type { CreateWebhook, RotateWebhookSecret, UpdateWebhook, Webhook, WebhookPage, WebhookWithSecret } from '@portcullis/contracts/api/webhooks';
import { PrismaClient } from '@portcullis/database';
import { EgressRefused } from '@portcullis/egress';
import { v7 } from 'uuid';
import type { z } from 'zod';
import type { Author } from '../changes/author.js';
import { RecordedChanges } from '../changes/recorded-changes.js';
import { differing } from '../database/differing.js';
import { decodeCursor, IdCursor, pageFrom } from '../http/paging.js';
import { ProblemError } from '../http/problem.js';
import { newWebhookSecret } from './sign-webhook.js';
import { toWebhook } from './to-webhook.js';
import { WebhookSecrets } from './webhook-secrets.js';
import { WebhookSender } from './webhook-sender.js';
import { listWebhooks, requireWebhook, subjectOf } from './webhooks.repository.js';

/** Addresses that are told of alerts. */
@Injectable()
export class WebhooksService {
  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(RecordedChanges) private readonly changes: RecordedChanges,
    @Inject(WebhookSecrets) private readonly secrets: WebhookSecrets,
    @Inject(WebhookSender) private readonly sender: WebhookSender,
  ) {}

  async list({ cursor, limit }: PageQuery): Promise<z.infer<typeof WebhookPage>> {
    const [after] = decodeCursor(cursor, IdCursor) ?? [];
    return pageFrom(await listWebhooks(this.database, { after, limit }), limit, toWebhook, ({ id }) => [id]);
  }

  async read(id: string): Promise<Webhook> {
    return toWebhook(await requireWebhook(this.database, id));
  }

  async create(author: Author, { name, url, secret: given, enabled }: CreateWebhook): Promise<WebhookWithSecret> {
    this.requireReachable(url);
    const secret = given ?? newWebhookSecret();
    const id = v7();
    return this.changes.apply(author, 'webhook.created', async (tx) => {
      const row = await tx.webhook.create({ data: { id, name, url, enabled, secret: this.secrets.seal(id, secret) } });
      const result = { ...toWebhook(row), secret: given === undefined ? secret : null };
      return { result, subject: subjectOf(row), change: { name, host: new URL(url).host, enabled } };
    });
  }

  async update(author: Author, id: string, wanted: UpdateWebhook): Promise<Webhook> {
    if (wanted.url !== undefined) this.requireReachable(wanted.url);
    return this.changes.apply(author, 'webhook.updated', async (tx) => {
      const row = await requireWebhook(tx, id);
      const { url, ...rest } = differing(row, wanted);
      if (url === undefined && Object.keys(rest).length === 0) return { result: toWebhook(row), unchanged: true };
      const data = { ...rest, ...(url === undefined ? {} : { url }), ...(rest.enabled === true ? { disabledReason: null } : {}) };
      const updated = await tx.webhook.update({ where: { id }, data });
      // The path of such an address is often a secret of its own.
      return { result: toWebhook(updated), subject: subjectOf(row), change: { ...rest, ...(url === undefined ? {} : { host: new URL(url).host }) } };
    });
  }

  async delete(author: Author, id: string): Promise<void> {
    await this.changes.apply(author, 'webhook.deleted', async (tx) => {
      const row = await requireWebhook(tx, id);
      const used = await tx.alertRule.findFirst({ where: { webhookIds: { has: id } }, select: { name: true } });
      if (used !== null) throw new ProblemError('conflict', `The alert rule ${used.name} tells this webhook.`);
      await tx.webhook.delete({ where: { id } });
      return { result: undefined, subject: subjectOf(row), change: { deleted: true } };
    });
  }

  async rotate(author: Author, id: string, { secret: given, bothForSeconds }: RotateWebhookSecret): Promise<WebhookWithSecret> {
    const secret = given ?? newWebhookSecret();
    return this.changes.apply(author, 'webhook.secret-rotated', async (tx) => {
      const row = await requireWebhook(tx, id);
      const isBoth = bothForSeconds > 0;
      const previousUntil = isBoth ? new Date(Date.now() + bothForSeconds * 1000) : null;
      const data = { secret: this.secrets.seal(id, secret), previousSecret: isBoth ? row.secret : null, previousUntil };
      const updated = await tx.webhook.update({ where: { id }, data });
      const result = { ...toWebhook(updated), secret: given === undefined ? secret : null };
      return { result, subject: subjectOf(row), change: { bothForSeconds } };
    });
  }

  private requireReachable(url: string): void {
    const verdict = this.sender.egress.checkUrl(url);
    if (!verdict.ok) throw new ProblemError('validation', undefined, [{ pointer: '/url', detail: new EgressRefused(verdict.reason).message }]);
  }
}
