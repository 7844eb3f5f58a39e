import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { ShadowReport, ShadowReportQuery } from '@portcullis/contracts/api/shadow-report';
import { Id } from '@portcullis/contracts/names';
import { CallingOperator } from '../http/calling-operator.js';
import { Audited, Requires } from '../http/route-marks.js';
import type { Caller } from '../operators/operator-tokens.js';
import { AuditService } from './audit.service.js';

@ApiTags('grants')
@Controller('v1/grants')
export class ShadowReportController {
  constructor(@Inject(AuditService) private readonly audit: AuditService) {}

  @Get(':id/shadow-report')
  @Requires('audit:read')
  @Audited('audit.read')
  @ApiOkResponse({ standardSchema: ShadowReport })
  async report(
    @CallingOperator() caller: Caller,
    @Param('id', { schema: Id }) id: string,
    @Query({ schema: ShadowReportQuery }) { since }: ShadowReportQuery,
  ): Promise<ShadowReport> {
    return this.audit.shadowReport(caller, id, since);
  }
}
