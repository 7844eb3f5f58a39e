import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { AuditRecord, AuditRecordPage, ListAuditQuery } from '@portcullis/contracts/api/operations';
import { Id } from '@portcullis/contracts/names';
import type { z } from 'zod';
import { CallingOperator } from '../http/calling-operator.js';
import { Audited, Requires } from '../http/route-marks.js';
import type { Caller } from '../operators/operator-tokens.js';
import { AuditService } from './audit.service.js';

@ApiTags('audit')
@Controller('v1/audit/events')
export class AuditController {
  constructor(@Inject(AuditService) private readonly audit: AuditService) {}

  @Get()
  @Requires('audit:read')
  @Audited('audit.read')
  @ApiOkResponse({ standardSchema: AuditRecordPage })
  async list(@CallingOperator() caller: Caller, @Query({ schema: ListAuditQuery }) query: ListAuditQuery): Promise<z.infer<typeof AuditRecordPage>> {
    return this.audit.list(caller, query);
  }

  @Get(':callId')
  @Requires('audit:read')
  @Audited('audit.read')
  @ApiOkResponse({ standardSchema: AuditRecord })
  async read(@CallingOperator() caller: Caller, @Param('callId', { schema: Id }) callId: string): Promise<AuditRecord> {
    return this.audit.read(caller, callId);
  }
}
