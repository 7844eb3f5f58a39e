import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Budget, BudgetPage, CreateBudget, UpdateBudget } from '@portcullis/contracts/api/budgets';
import { PageQuery } from '@portcullis/contracts/api/conventions';
import { Id } from '@portcullis/contracts/names';
import type { z } from 'zod';
import { CallingOperator } from '../http/calling-operator.js';
import { Audited, Requires } from '../http/route-marks.js';
import type { Caller } from '../operators/operator-tokens.js';
import { BudgetsService } from './budgets.service.js';

@ApiTags('costs')
@Controller('v1/budgets')
export class BudgetsController {
  constructor(@Inject(BudgetsService) private readonly budgets: BudgetsService) {}

  @Get()
  @Requires('costs:read')
  @ApiOkResponse({ standardSchema: BudgetPage })
  async list(@Query({ schema: PageQuery }) query: PageQuery): Promise<z.infer<typeof BudgetPage>> {
    return this.budgets.list(query);
  }

  @Post()
  @Requires('costs:write')
  @Audited('budget.created')
  @ApiCreatedResponse({ standardSchema: Budget })
  async create(@CallingOperator() caller: Caller, @Body({ schema: CreateBudget }) body: CreateBudget): Promise<Budget> {
    return this.budgets.create(caller, body);
  }

  @Get(':id')
  @Requires('costs:read')
  @ApiOkResponse({ standardSchema: Budget })
  async read(@Param('id', { schema: Id }) id: string): Promise<Budget> {
    return this.budgets.read(id);
  }

  @Patch(':id')
  @Requires('costs:write')
  @Audited('budget.updated')
  @ApiOkResponse({ standardSchema: Budget })
  async update(
    @CallingOperator() caller: Caller,
    @Param('id', { schema: Id }) id: string,
    @Body({ schema: UpdateBudget }) body: UpdateBudget,
  ): Promise<Budget> {
    return this.budgets.update(caller, id, body);
  }

  @Delete(':id')
  @HttpCode(204)
  @Requires('costs:write')
  @Audited('budget.deleted')
  @ApiNoContentResponse()
  async delete(@CallingOperator() caller: Caller, @Param('id', { schema: Id }) id: string): Promise<void> {
    return this.budgets.delete(caller, id);
  }
}
