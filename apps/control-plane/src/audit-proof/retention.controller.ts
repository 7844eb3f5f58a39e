import { Body, Controller, Get, HttpCode, Inject, Post, Put } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { AuditRetention, AuditRetentionRun, RunAuditRetention, SetAuditRetention } from '@portcullis/contracts/api/audit-retention';
import { CallingOperator } from '../http/calling-operator.js';
import { Audited, Requires } from '../http/route-marks.js';
import type { Caller } from '../operators/operator-tokens.js';
import { RetentionService } from './retention.service.js';

@ApiTags('audit')
@Controller('v1/audit/retention')
export class RetentionController {
  constructor(@Inject(RetentionService) private readonly retention: RetentionService) {}

  @Get()
  @Requires('audit:read')
  @ApiOkResponse({ standardSchema: AuditRetention })
  async read(): Promise<AuditRetention> {
    return this.retention.read();
  }

  @Put()
  @Requires('audit:write')
  @Audited('audit-retention.set')
  @ApiOkResponse({ standardSchema: AuditRetention })
  async set(@CallingOperator() caller: Caller, @Body({ schema: SetAuditRetention }) body: SetAuditRetention): Promise<AuditRetention> {
    return this.retention.set(caller, body);
  }

  @Post('runs')
  @HttpCode(200)
  @Requires('audit:write')
  @Audited('audit-day.dropped')
  @ApiOkResponse({ standardSchema: AuditRetentionRun })
  async run(@CallingOperator() caller: Caller, @Body({ schema: RunAuditRetention }) { dryRun }: RunAuditRetention): Promise<AuditRetentionRun> {
    return this.retention.run(caller, dryRun);
  }
}
