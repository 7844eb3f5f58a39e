import { Controller, Get, Inject, Query, StreamableFile } from '@nestjs/common';
import { ApiOkResponse, ApiProduces, ApiTags } from '@nestjs/swagger';
import {
  AuditAggregates,
  AuditAggregatesQuery,
  AuditExportQuery,
  AuditPairs,
  AuditPairsQuery,
  AuditTailQuery,
} from '@portcullis/contracts/api/audit-reports';
import { CallingOperator } from '../http/calling-operator.js';
import { Audited, Requires } from '../http/route-marks.js';
import type { Caller } from '../operators/operator-tokens.js';
import { ExportService } from './export.service.js';
import { LastEventId } from './last-event.js';
import { ReportsService } from './reports.service.js';
import { TailService } from './tail.service.js';

const types = { ndjson: 'application/x-ndjson', csv: 'text/csv; charset=utf-8' } as const;

/** The trail at length: exports, live tails and sums. */
@ApiTags('audit')
@Controller('v1/audit')
export class ReportsController {
  constructor(
    @Inject(ExportService) private readonly exports: ExportService,
    @Inject(TailService) private readonly tails: TailService,
    @Inject(ReportsService) private readonly reports: ReportsService,
  ) {}

  @Get('export')
  @Requires('audit:read')
  @Audited('audit.read')
  @ApiProduces('application/x-ndjson', 'text/csv')
  async export(@CallingOperator() caller: Caller, @Query({ schema: AuditExportQuery }) query: AuditExportQuery): Promise<StreamableFile> {
    const disposition = `attachment; filename="audit.${query.format}"`;
    return new StreamableFile(await this.exports.open(caller, query), { type: types[query.format], disposition });
  }

  @Get('tail')
  @Requires('audit:read')
  @Audited('audit.read')
  @ApiProduces('text/event-stream')
  async tail(
    @CallingOperator() caller: Caller,
    @Query({ schema: AuditTailQuery }) query: AuditTailQuery,
    @LastEventId() lastEventId: string | undefined,
  ): Promise<StreamableFile> {
    return new StreamableFile(await this.tails.open(caller, query, lastEventId), { type: 'text/event-stream' });
  }

  @Get('aggregates')
  @Requires('audit:read')
  @Audited('audit.read')
  @ApiOkResponse({ standardSchema: AuditAggregates })
  async aggregates(
    @CallingOperator() caller: Caller,
    @Query({ schema: AuditAggregatesQuery }) query: AuditAggregatesQuery,
  ): Promise<AuditAggregates> {
    return this.reports.aggregates(caller, query);
  }

  @Get('pairs')
  @Requires('audit:read')
  @Audited('audit.read')
  @ApiOkResponse({ standardSchema: AuditPairs })
  async pairs(@CallingOperator() caller: Caller, @Query({ schema: AuditPairsQuery }) query: AuditPairsQuery): Promise<AuditPairs> {
    return this.reports.pairs(caller, query);
  }
}
