import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Query, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { PageQuery } from '@portcullis/contracts/api/conventions';
import { CostedCallPage, Costs, CostsQuery, CreatePrice, ListCostedCallsQuery, Price, PricePage } from '@portcullis/contracts/api/costs';
import { Id } from '@portcullis/contracts/names';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';
import { ChangesPolicy } from '../changes/changes-policy.js';
import type { Changed } from '../changes/policy-changes.js';
import { CallingOperator } from '../http/calling-operator.js';
import { Audited, Requires } from '../http/route-marks.js';
import type { Caller } from '../operators/operator-tokens.js';
import { costCsv } from './cost-lines.js';
import { CostsService } from './costs.service.js';
import { PricesService } from './prices.service.js';

@ApiTags('costs')
@Controller('v1')
export class CostsController {
  constructor(
    @Inject(PricesService) private readonly prices: PricesService,
    @Inject(CostsService) private readonly costs: CostsService,
  ) {}

  @Get('prices')
  @Requires('costs:read')
  @ApiOkResponse({ standardSchema: PricePage })
  async list(@Query({ schema: PageQuery }) query: PageQuery): Promise<z.infer<typeof PricePage>> {
    return this.prices.list(query);
  }

  @Post('prices')
  @Requires('costs:write')
  @ChangesPolicy('price.created')
  @ApiCreatedResponse({ standardSchema: Price })
  async create(@CallingOperator() caller: Caller, @Body({ schema: CreatePrice }) body: CreatePrice): Promise<Changed<Price>> {
    return this.prices.create(caller, body);
  }

  @Get('prices/:id')
  @Requires('costs:read')
  @ApiOkResponse({ standardSchema: Price })
  async read(@Param('id', { schema: Id }) id: string): Promise<Price> {
    return this.prices.read(id);
  }

  @Delete('prices/:id')
  @HttpCode(204)
  @Requires('costs:write')
  @ChangesPolicy('price.deleted')
  @ApiNoContentResponse()
  async delete(@CallingOperator() caller: Caller, @Param('id', { schema: Id }) id: string): Promise<Changed<void>> {
    return this.prices.delete(caller, id);
  }

  @Get('costs')
  @Requires('costs:read')
  @Audited('audit.read')
  @ApiOkResponse({ standardSchema: Costs })
  async sums(
    @CallingOperator() caller: Caller,
    @Query({ schema: CostsQuery }) query: CostsQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Costs | string> {
    const costs = await this.costs.read(caller, query);
    if (query.format === 'json') return costs;
    reply.header('content-type', 'text/csv; charset=utf-8').header('content-disposition', 'attachment; filename="costs.csv"');
    return costCsv(costs);
  }

  @Get('costs/calls')
  @Requires('costs:read')
  @Audited('audit.read')
  @ApiOkResponse({ standardSchema: CostedCallPage })
  async calls(
    @CallingOperator() caller: Caller,
    @Query({ schema: ListCostedCallsQuery }) query: ListCostedCallsQuery,
  ): Promise<z.infer<typeof CostedCallPage>> {
    return this.costs.calls(caller, query);
  }
}
