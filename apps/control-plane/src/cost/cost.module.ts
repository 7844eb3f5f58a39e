import { Module } from '@nestjs/common';
import { AuditReading } from '../audit/audit-reading.js';
import { CostsController } from './costs.controller.js';
import { CostsService } from './costs.service.js';
import { PricesService } from './prices.service.js';

@Module({ controllers: [CostsController], providers: [AuditReading, CostsService, PricesService] })
export class CostModule {}
