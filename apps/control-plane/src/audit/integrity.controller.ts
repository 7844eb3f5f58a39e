import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { AuditIntegrity, AuditIntegrityQuery } from '@portcullis/contracts/api/audit-integrity';
import { CallingOperator } from '../http/calling-operator.js';
import { Audited, Requires } from '../http/route-marks.js';
import type { Caller } from '../operators/operator-tokens.js';
import { IntegrityService } from './integrity.service.js';

@ApiTags('audit')
@Controller('v1/audit/integrity')
export class IntegrityController {
  constructor(@Inject(IntegrityService) private readonly integrity: IntegrityService) {}

  @Get()
  @Requires('audit:read')
  @Audited('audit.read')
  @ApiOkResponse({ standardSchema: AuditIntegrity })
  async read(@CallingOperator() caller: Caller, @Query({ schema: AuditIntegrityQuery }) query: AuditIntegrityQuery): Promise<AuditIntegrity> {
    return this.integrity.read(caller, query);
  }
}
