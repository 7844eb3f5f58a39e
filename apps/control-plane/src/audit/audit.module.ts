import { Module } from '@nestjs/common';
import { AuditController } from './audit.controller.js';
import { AuditReading } from './audit-reading.js';
import { AuditService } from './audit.service.js';
import { CallStoryService } from './call-story.service.js';
import { IntegrityController } from './integrity.controller.js';
import { IntegrityService } from './integrity.service.js';
import { ShadowReportController } from './shadow-report.controller.js';

@Module({
  controllers: [AuditController, IntegrityController, ShadowReportController],
  providers: [AuditReading, AuditService, CallStoryService, IntegrityService],
})
export class AuditModule {}
