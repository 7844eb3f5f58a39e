import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { AlertPage, AlertRule, AlertRulePage, CreateAlertRule, ListAlertsQuery, UpdateAlertRule } from '@portcullis/contracts/api/alerts';
import { PageQuery } from '@portcullis/contracts/api/conventions';
import { Id } from '@portcullis/contracts/names';
import type { z } from 'zod';
import { CallingOperator } from '../http/calling-operator.js';
import { Audited, Requires } from '../http/route-marks.js';
import type { Caller } from '../operators/operator-tokens.js';
import { AlertsService } from './alerts.service.js';

@ApiTags('alerts')
@Controller('v1')
export class AlertsController {
  constructor(@Inject(AlertsService) private readonly alerts: AlertsService) {}

  @Get('alerts')
  @Requires('alerts:read')
  @ApiOkResponse({ standardSchema: AlertPage })
  async list(@Query({ schema: ListAlertsQuery }) query: ListAlertsQuery): Promise<z.infer<typeof AlertPage>> {
    return this.alerts.list(query);
  }

  @Get('alert-rules')
  @Requires('alerts:read')
  @ApiOkResponse({ standardSchema: AlertRulePage })
  async rules(@Query({ schema: PageQuery }) query: PageQuery): Promise<z.infer<typeof AlertRulePage>> {
    return this.alerts.rules(query);
  }

  @Post('alert-rules')
  @Requires('alerts:write')
  @Audited('alert-rule.created')
  @ApiCreatedResponse({ standardSchema: AlertRule })
  async create(@CallingOperator() caller: Caller, @Body({ schema: CreateAlertRule }) body: CreateAlertRule): Promise<AlertRule> {
    return this.alerts.create(caller, body);
  }

  @Get('alert-rules/:id')
  @Requires('alerts:read')
  @ApiOkResponse({ standardSchema: AlertRule })
  async read(@Param('id', { schema: Id }) id: string): Promise<AlertRule> {
    return this.alerts.read(id);
  }

  @Patch('alert-rules/:id')
  @Requires('alerts:write')
  @Audited('alert-rule.updated')
  @ApiOkResponse({ standardSchema: AlertRule })
  async update(
    @CallingOperator() caller: Caller,
    @Param('id', { schema: Id }) id: string,
    @Body({ schema: UpdateAlertRule }) body: UpdateAlertRule,
  ): Promise<AlertRule> {
    return this.alerts.update(caller, id, body);
  }

  @Delete('alert-rules/:id')
  @HttpCode(204)
  @Requires('alerts:write')
  @Audited('alert-rule.deleted')
  @ApiNoContentResponse()
  async delete(@CallingOperator() caller: Caller, @Param('id', { schema: Id }) id: string): Promise<void> {
    return this.alerts.delete(caller, id);
  }
}
