import { Inject, Injectable } from '@nestjs/common';
import { PrismaClient } from '@portcullis/database';
import type { BackgroundWork } from '../background/background-loop.js';
import { foldCalls } from './fold-calls.js';

/** The longer, the more calls of an hour are added to a row at once; what is not added yet, reports read from the trail. */
const FOLD_MS = 10_000;
const ROUND_MS_MAX = 300_000;

/** Keeps the sums of calls up with the trail; any number of control planes may. */
@Injectable()
export class CallsFolder implements BackgroundWork {
  readonly everyMs = FOLD_MS;
  readonly complaint = 'Calls cannot be summed up';

  constructor(@Inject(PrismaClient) private readonly database: PrismaClient) {}

  async turn(): Promise<boolean> {
    return this.database.$transaction(foldCalls, { maxWait: 10_000, timeout: ROUND_MS_MAX });
  }
}
