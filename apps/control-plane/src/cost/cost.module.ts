import { Module, type DynamicModule } from '@nestjs/common';
import { AuditReading } from '../audit/audit-reading.js';
import { inBackground } from '../background/in-background.js';
import { BUDGET_OPTIONS, BudgetEnforcer, type BudgetOptions } from './budget-enforcer.js';
import { BudgetsController } from './budgets.controller.js';
import { BudgetsService } from './budgets.service.js';
import { CostsFolder } from './costs-folder.js';
import { CostsController } from './costs.controller.js';
import { CostsService } from './costs.service.js';
import { PricesService } from './prices.service.js';

@Module({})
export class CostModule {
  static with(options: BudgetOptions = {}): DynamicModule {
    const settings = { provide: BUDGET_OPTIONS, useValue: { lookMs: options.lookMs } };
    const providers = [
      settings,
      AuditReading,
      BudgetsService,
      CostsService,
      PricesService,
      ...inBackground(BudgetEnforcer, 'budgets'),
      ...inBackground(CostsFolder, 'costs'),
    ];
    return { module: CostModule, controllers: [BudgetsController, CostsController], providers };
  }
}
