import { Body, Controller, Get, Inject, Post } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { CreateEpoch, Epoch } from '@portcullis/contracts/api/policy';
import { ChangesPolicy } from '../changes/changes-policy.js';
import type { Changed } from '../changes/policy-changes.js';
import { CallingOperator } from '../http/calling-operator.js';
import { Requires } from '../http/route-marks.js';
import type { Caller } from '../operators/operator-tokens.js';
import { EpochsService } from './epochs.service.js';

@ApiTags('epochs')
@Controller('v1/epochs')
export class EpochsController {
  constructor(@Inject(EpochsService) private readonly epochs: EpochsService) {}

  @Get('current')
  @Requires('epochs:read')
  @ApiOkResponse({ standardSchema: Epoch })
  async read(): Promise<Epoch> {
    return this.epochs.read();
  }

  @Post()
  @Requires('epochs:write')
  @ChangesPolicy('epoch.created')
  @ApiCreatedResponse({ standardSchema: Epoch })
  async create(@CallingOperator() caller: Caller, @Body({ schema: CreateEpoch }) body: CreateEpoch): Promise<Changed<Epoch>> {
    return this.epochs.create(caller, body);
  }
}
