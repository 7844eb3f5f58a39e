import { Module } from '@nestjs/common';
import { inBackground } from '../background/in-background.js';
import { AuditController } from './audit.controller.js';
import { AuditReading } from './audit-reading.js';
import { AuditService } from './audit.service.js';
import { CallStoryService } from './call-story.service.js';
import { CallsFolder } from './calls-folder.js';
import { ExportService } from './export.service.js';
import { IntegrityController } from './integrity.controller.js';
import { IntegrityService } from './integrity.service.js';
import { ReportsController } from './reports.controller.js';
import { ReportsService } from './reports.service.js';
import { ShadowReportController } from './shadow-report.controller.js';
import { TailService } from './tail.service.js';

@Module({
  controllers: [AuditController, IntegrityController, ReportsController, ShadowReportController],
  providers: [
    AuditReading,
    AuditService,
    CallStoryService,
    ...inBackground(CallsFolder, 'audit'),
    ExportService,
    IntegrityService,
    ReportsService,
    TailService,
  ],
})
export class AuditModule {}
