import { Module, type DynamicModule } from '@nestjs/common';
import { inBackground } from '../background/in-background.js';
import type { WebhookOptions } from '../webhooks/webhook-sender.js';
import { WebhooksModule } from '../webhooks/webhooks.module.js';
import { ALERT_OPTIONS, AlertEvaluator, type AlertOptions } from './alert-evaluator.js';
import { AlertsController } from './alerts.controller.js';
import { AlertsService } from './alerts.service.js';

export interface AlertsOptions extends AlertOptions, WebhookOptions {}

@Module({})
export class AlertsModule {
  static with(options: AlertsOptions = {}): DynamicModule {
    return {
      module: AlertsModule,
      imports: [WebhooksModule.with(options)],
      controllers: [AlertsController],
      providers: [{ provide: ALERT_OPTIONS, useValue: options }, ...inBackground(AlertEvaluator, 'alerts'), AlertsService],
    };
  }
}
