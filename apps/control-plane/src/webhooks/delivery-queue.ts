import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { PrismaClient } from '@portcullis/database';
import { DelayedError, Queue, Worker, type Job } from 'bullmq';
import { Redis } from 'ioredis';
import type { BackgroundWork } from '../background/background-loop.js';
import { noteAttempt, RETRY_MS } from './deliver.js';
import { WEBHOOK_OPTIONS, WebhookSender, type WebhookOptions } from './webhook-sender.js';
import { findDelivery, overdueDeliveries } from './webhooks.repository.js';

const QUEUE = 'portcullis-webhooks';
const CONCURRENCY = 8;
const CLOSE_MS = 2_000;
const LOOK_MS = 5_000;
/** What is later than this has lost its job. */
const OVERDUE_MS = 30_000;
const AT_ONCE = 500;

interface DeliveryJob {
  readonly deliveryId: string;
}

/**
 * Has messages sent, by one control plane of all, again after ever longer times where a receiver does not take them. What is to be sent lies in Postgres;
 * a Redis that lost its jobs is told of it again.
 */
@Injectable()
export class DeliveryQueue implements BackgroundWork, OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly everyMs = LOOK_MS;
  readonly complaint = 'Messages whose jobs are lost cannot be found';
  private readonly logger = new Logger('webhooks');
  private isStopping = false;
  private readonly queue: Queue<DeliveryJob>;
  private readonly retryMs: readonly number[];
  private blocking: Redis | undefined;
  private worker: Worker<DeliveryJob> | undefined;

  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(Redis) private readonly redis: Redis,
    @Inject(WebhookSender) private readonly sender: WebhookSender,
    @Inject(WEBHOOK_OPTIONS) options: WebhookOptions,
  ) {
    this.retryMs = options.retryMs ?? RETRY_MS;
    this.queue = new Queue(QUEUE, { connection: redis, skipVersionCheck: true });
    this.queue.on('error', () => undefined); // the connection's owner tells of outages
  }

  onApplicationBootstrap(): void {
    const start = (): void => this.start();
    if (this.redis.status === 'ready') start();
    else this.redis.once('ready', start);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.isStopping = true;
    // Without Redis either would wait for it to say that it goes.
    await Promise.race([Promise.all([this.worker?.close(), this.worker && this.queue.close()]), sleep(CLOSE_MS, undefined, { ref: false })]);
    this.blocking?.disconnect();
  }

  /** Has these sent as soon as may be. Does not fail: what Redis does not take now is found later. */
  add(deliveryIds: readonly string[]): void {
    if (deliveryIds.length === 0 || this.redis.status !== 'ready') return;
    const jobs = deliveryIds.map((deliveryId) => ({
      name: 'deliver',
      data: { deliveryId },
      opts: { jobId: deliveryId, removeOnComplete: true, removeOnFail: true },
    }));
    this.queue.addBulk(jobs).catch(() => undefined);
  }

  /** Sends what waits for its time, or has ended, now. */
  async addAgain(deliveryId: string): Promise<void> {
    if (this.redis.status === 'ready') await this.queue.remove(deliveryId).catch(() => undefined);
    this.add([deliveryId]);
  }

  /** Tells Redis again of what it has lost. */
  async turn(): Promise<void> {
    this.add(await overdueDeliveries(this.database, new Date(Date.now() - OVERDUE_MS), AT_ONCE));
  }

  private start(): void {
    if (this.isStopping || this.worker !== undefined) return;
    this.blocking = this.redis.duplicate({ maxRetriesPerRequest: null, enableOfflineQueue: true, commandTimeout: undefined });
    this.blocking.on('error', () => undefined);
    const settings = { connection: this.blocking, concurrency: CONCURRENCY, skipVersionCheck: true };
    this.worker = new Worker<DeliveryJob>(QUEUE, (job, token) => this.deliver(job, token), settings);
    this.worker.on('error', () => undefined);
    this.worker.on('failed', (_job, error) => this.logger.error({ msg: 'A delivery could not be carried out', error: error.message }));
  }

  private async deliver(job: Job<DeliveryJob>, token: string | undefined): Promise<void> {
    const delivery = await findDelivery(this.database, job.data.deliveryId);
    if (delivery === null || delivery.state !== 'pending') return;
    const early = (delivery.nextAttemptAt?.getTime() ?? 0) - Date.now();
    const waitMs = early > 0 ? early : await this.attempt(delivery);
    if (waitMs === undefined) return;
    await job.moveToDelayed(Date.now() + waitMs, token);
    throw new DelayedError();
  }

  private async attempt(delivery: NonNullable<Awaited<ReturnType<typeof findDelivery>>>): Promise<number | undefined> {
    const refused = { isDelivered: false, status: null, error: 'The webhook is disabled.', durationMs: 0 };
    if (!delivery.webhook.enabled) return noteAttempt(this.database, delivery, refused, []);
    return noteAttempt(this.database, delivery, await this.sender.send(delivery.webhook, delivery), this.retryMs);
  }
}
