import { Module } from '@nestjs/common';
import { AuditController } from './audit.controller.js';
import { AuditService } from './audit.service.js';
import { ShadowReportController } from './shadow-report.controller.js';

@Module({ controllers: [AuditController, ShadowReportController], providers: [AuditService] })
export class AuditModule {}
