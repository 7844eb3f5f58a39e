import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiAcceptedResponse, ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { PageQuery } from '@portcullis/contracts/api/conventions';
import {
  CreateWebhook,
  ListDeliveriesQuery,
  RotateWebhookSecret,
  UpdateWebhook,
  Webhook,
  WebhookDelivery,
  WebhookDeliveryPage,
  WebhookPage,
  WebhookTestResult,
  WebhookWithSecret,
} from '@portcullis/contracts/api/webhooks';
import { Id } from '@portcullis/contracts/names';
import type { z } from 'zod';
import { CallingOperator } from '../http/calling-operator.js';
import { Audited, Requires } from '../http/route-marks.js';
import type { Caller } from '../operators/operator-tokens.js';
import { DeliveriesService } from './deliveries.service.js';
import { WebhooksService } from './webhooks.service.js';

@ApiTags('alerts')
@Controller('v1/webhooks')
export class WebhooksController {
  constructor(
    @Inject(WebhooksService) private readonly webhooks: WebhooksService,
    @Inject(DeliveriesService) private readonly sent: DeliveriesService,
  ) {}

  @Get()
  @Requires('alerts:read')
  @ApiOkResponse({ standardSchema: WebhookPage })
  async list(@Query({ schema: PageQuery }) query: PageQuery): Promise<z.infer<typeof WebhookPage>> {
    return this.webhooks.list(query);
  }

  @Post()
  @Requires('alerts:write')
  @Audited('webhook.created')
  @ApiCreatedResponse({ standardSchema: WebhookWithSecret })
  async create(@CallingOperator() caller: Caller, @Body({ schema: CreateWebhook }) body: CreateWebhook): Promise<WebhookWithSecret> {
    return this.webhooks.create(caller, body);
  }

  @Get(':id')
  @Requires('alerts:read')
  @ApiOkResponse({ standardSchema: Webhook })
  async read(@Param('id', { schema: Id }) id: string): Promise<Webhook> {
    return this.webhooks.read(id);
  }

  @Patch(':id')
  @Requires('alerts:write')
  @Audited('webhook.updated')
  @ApiOkResponse({ standardSchema: Webhook })
  async update(
    @CallingOperator() caller: Caller,
    @Param('id', { schema: Id }) id: string,
    @Body({ schema: UpdateWebhook }) body: UpdateWebhook,
  ): Promise<Webhook> {
    return this.webhooks.update(caller, id, body);
  }

  @Delete(':id')
  @HttpCode(204)
  @Requires('alerts:write')
  @Audited('webhook.deleted')
  @ApiNoContentResponse()
  async delete(@CallingOperator() caller: Caller, @Param('id', { schema: Id }) id: string): Promise<void> {
    return this.webhooks.delete(caller, id);
  }

  @Post(':id/rotate-secret')
  @HttpCode(200)
  @Requires('alerts:write')
  @Audited('webhook.secret-rotated')
  @ApiOkResponse({ standardSchema: WebhookWithSecret })
  async rotate(
    @CallingOperator() caller: Caller,
    @Param('id', { schema: Id }) id: string,
    @Body({ schema: RotateWebhookSecret }) body: RotateWebhookSecret,
  ): Promise<WebhookWithSecret> {
    return this.webhooks.rotate(caller, id, body);
  }

  @Post(':id/test')
  @HttpCode(200)
  @Requires('alerts:write')
  @Audited('webhook.tested')
  @ApiOkResponse({ standardSchema: WebhookTestResult })
  async test(@CallingOperator() caller: Caller, @Param('id', { schema: Id }) id: string): Promise<WebhookTestResult> {
    return this.sent.test(caller, id);
  }

  @Get(':id/deliveries')
  @Requires('alerts:read')
  @ApiOkResponse({ standardSchema: WebhookDeliveryPage })
  async deliveries(
    @Param('id', { schema: Id }) id: string,
    @Query({ schema: ListDeliveriesQuery }) query: ListDeliveriesQuery,
  ): Promise<z.infer<typeof WebhookDeliveryPage>> {
    return this.sent.list(id, query);
  }

  @Post(':id/deliveries/:delivery/redeliver')
  @HttpCode(202)
  @Requires('alerts:write')
  @Audited('webhook.redelivered')
  @ApiAcceptedResponse({ standardSchema: WebhookDelivery })
  async redeliver(
    @CallingOperator() caller: Caller,
    @Param('id', { schema: Id }) id: string,
    @Param('delivery', { schema: Id }) delivery: string,
  ): Promise<WebhookDelivery> {
    return this.sent.redeliver(caller, id, delivery);
  }
}
