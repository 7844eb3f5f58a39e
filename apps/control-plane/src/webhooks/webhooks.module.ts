import { Module, type DynamicModule } from '@nestjs/common';
import { inBackground } from '../background/in-background.js';
import { DeliveriesService } from './deliveries.service.js';
import { DeliveryQueue } from './delivery-queue.js';
import { WebhookSecrets } from './webhook-secrets.js';
import { WEBHOOK_OPTIONS, WebhookSender, type WebhookOptions } from './webhook-sender.js';
import { WebhooksController } from './webhooks.controller.js';
import { WebhooksService } from './webhooks.service.js';

@Module({})
export class WebhooksModule {
  static with(options: WebhookOptions = {}): DynamicModule {
    const settings = { provide: WEBHOOK_OPTIONS, useValue: options };
    return {
      module: WebhooksModule,
      controllers: [WebhooksController],
      providers: [settings, DeliveriesService, ...inBackground(DeliveryQueue, 'webhooks'), WebhookSecrets, WebhookSender, WebhooksService],
      exports: [DeliveryQueue, WebhookSecrets],
    };
  }
}
