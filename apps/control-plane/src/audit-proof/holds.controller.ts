import { Body, Controller, Delete, Get, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { AuditHold, AuditHoldPage, AuditHoldsQuery, CreateAuditHold } from '@portcullis/contracts/api/audit-retention';
import { Id } from '@portcullis/contracts/names';
import type { z } from 'zod';
import { CallingOperator } from '../http/calling-operator.js';
import { Audited, Requires } from '../http/route-marks.js';
import type { Caller } from '../operators/operator-tokens.js';
import { HoldsService } from './holds.service.js';

@ApiTags('audit')
@Controller('v1/audit/holds')
export class HoldsController {
  constructor(@Inject(HoldsService) private readonly holds: HoldsService) {}

  @Get()
  @Requires('audit:read')
  @ApiOkResponse({ standardSchema: AuditHoldPage })
  async list(@Query({ schema: AuditHoldsQuery }) query: AuditHoldsQuery): Promise<z.infer<typeof AuditHoldPage>> {
    return this.holds.list(query);
  }

  @Post()
  @Requires('audit:write')
  @Audited('audit-hold.created')
  @ApiCreatedResponse({ standardSchema: AuditHold })
  async create(@CallingOperator() caller: Caller, @Body({ schema: CreateAuditHold }) body: CreateAuditHold): Promise<AuditHold> {
    return this.holds.create(caller, body);
  }

  @Delete(':id')
  @Requires('audit:write')
  @Audited('audit-hold.released')
  @ApiOkResponse({ standardSchema: AuditHold })
  async release(@CallingOperator() caller: Caller, @Param('id', { schema: Id }) id: string): Promise<AuditHold> {
    return this.holds.release(caller, id);
  }
}
