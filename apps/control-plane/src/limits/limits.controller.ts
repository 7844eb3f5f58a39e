import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { CreateLimit, Limit, LimitPage, ListLimitsQuery, UpdateLimit } from '@portcullis/contracts/api/limits';
import { Id } from '@portcullis/contracts/names';
import type { z } from 'zod';
import { ChangesPolicy } from '../changes/changes-policy.js';
import type { Changed } from '../changes/policy-changes.js';
import { CallingOperator } from '../http/calling-operator.js';
import { Requires } from '../http/route-marks.js';
import type { Caller } from '../operators/operator-tokens.js';
import { LimitsService } from './limits.service.js';

@ApiTags('limits')
@Controller('v1/limits')
export class LimitsController {
  constructor(@Inject(LimitsService) private readonly limits: LimitsService) {}

  @Get()
  @Requires('limits:read')
  @ApiOkResponse({ standardSchema: LimitPage })
  async list(@Query({ schema: ListLimitsQuery }) query: ListLimitsQuery): Promise<z.infer<typeof LimitPage>> {
    return this.limits.list(query);
  }

  @Post()
  @Requires('limits:write')
  @ChangesPolicy('limit.created')
  @ApiCreatedResponse({ standardSchema: Limit })
  async create(@CallingOperator() caller: Caller, @Body({ schema: CreateLimit }) body: CreateLimit): Promise<Changed<Limit>> {
    return this.limits.create(caller, body);
  }

  @Get(':id')
  @Requires('limits:read')
  @ApiOkResponse({ standardSchema: Limit })
  async read(@Param('id', { schema: Id }) id: string): Promise<Limit> {
    return this.limits.read(id);
  }

  @Patch(':id')
  @Requires('limits:write')
  @ChangesPolicy('limit.updated')
  @ApiOkResponse({ standardSchema: Limit })
  async update(
    @CallingOperator() caller: Caller,
    @Param('id', { schema: Id }) id: string,
    @Body({ schema: UpdateLimit }) body: UpdateLimit,
  ): Promise<Changed<Limit>> {
    return this.limits.update(caller, id, body);
  }

  @Delete(':id')
  @HttpCode(204)
  @Requires('limits:write')
  @ChangesPolicy('limit.deleted')
  @ApiNoContentResponse()
  async delete(@CallingOperator() caller: Caller, @Param('id', { schema: Id }) id: string): Promise<Changed<undefined>> {
    return this.limits.delete(caller, id);
  }
}
