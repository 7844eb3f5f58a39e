import { Inject, Injectable } from '@nestjs/common';
import { PrismaClient } from '@portcullis/database';
import type { BackgroundWork } from '../background/background-loop.js';
import { BUDGET_OPTIONS, type BudgetOptions } from './budget-enforcer.js';
import { foldCosts } from './fold-costs.js';

const LOOK_MS = 2_000;
/** Where no budget waits for it: the longer, the more calls of an hour are added to a row at once. */
const FOLD_MS = 10_000;
const ROUND_MS_MAX = 300_000;

/** Keeps the sums of costs up with trail and prices; any number of control planes may. */
@Injectable()
export class CostsFolder implements BackgroundWork {
  readonly everyMs: number;
  readonly complaint = 'Costs cannot be summed up';
  private restsUntil = 0;

  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(BUDGET_OPTIONS) options: BudgetOptions,
  ) {
    this.everyMs = options.lookMs ?? LOOK_MS;
  }

  async turn(): Promise<boolean> {
    if (Date.now() < this.restsUntil && (await this.database.budget.findFirst({ select: { id: true } })) === null) return false;
    const isMore = await this.database.$transaction(foldCosts, { maxWait: 10_000, timeout: ROUND_MS_MAX });
    this.restsUntil = isMore ? 0 : Date.now() + FOLD_MS;
    return isMore;
  }
}
