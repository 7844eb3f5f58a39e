import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { AuditCall, AuditTimelineQuery } from '@portcullis/contracts/api/audit-calls';
import { ListAuditQuery } from '@portcullis/contracts/api/audit-search';
import { AuditRecord, AuditRecordPage } from '@portcullis/contracts/api/operations';
import { Id } from '@portcullis/contracts/names';
import type { z } from 'zod';
import { CallingOperator } from '../http/calling-operator.js';
import { Audited, Requires } from '../http/route-marks.js';
import type { Caller } from '../operators/operator-tokens.js';
import { AuditService } from './audit.service.js';
import { CallStoryService } from './call-story.service.js';

type Page = z.infer<typeof AuditRecordPage>;

@ApiTags('audit')
@Controller('v1/audit')
export class AuditController {
  constructor(
    @Inject(AuditService) private readonly audit: AuditService,
    @Inject(CallStoryService) private readonly stories: CallStoryService,
  ) {}

  @Get('events')
  @Requires('audit:read')
  @Audited('audit.read')
  @ApiOkResponse({ standardSchema: AuditRecordPage })
  async list(@CallingOperator() caller: Caller, @Query({ schema: ListAuditQuery }) query: ListAuditQuery): Promise<Page> {
    return this.audit.list(caller, query);
  }

  @Get('events/:callId')
  @Requires('audit:read')
  @Audited('audit.read')
  @ApiOkResponse({ standardSchema: AuditRecord })
  async read(@CallingOperator() caller: Caller, @Param('callId', { schema: Id }) callId: string): Promise<AuditRecord> {
    return this.audit.read(caller, callId);
  }

  @Get('calls/:callId')
  @Requires('audit:read')
  @Audited('audit.read')
  @ApiOkResponse({ standardSchema: AuditCall })
  async story(@CallingOperator() caller: Caller, @Param('callId', { schema: Id }) callId: string): Promise<AuditCall> {
    return this.stories.read(caller, callId);
  }

  @Get('timeline')
  @Requires('audit:read')
  @Audited('audit.read')
  @ApiOkResponse({ standardSchema: AuditRecordPage })
  async timeline(@CallingOperator() caller: Caller, @Query({ schema: AuditTimelineQuery }) query: AuditTimelineQuery): Promise<Page> {
    return this.audit.timeline(caller, query);
  }
}
