import { Module } from '@nestjs/common';
import { AuditReading } from '../audit/audit-reading.js';
import { BudgetsController } from './budgets.controller.js';
import { BudgetsService } from './budgets.service.js';
import { CostsController } from './costs.controller.js';
import { CostsService } from './costs.service.js';
import { PricesService } from './prices.service.js';

@Module({ controllers: [BudgetsController, CostsController], providers: [AuditReading, BudgetsService, CostsService, PricesService] })
export class CostModule {}
