import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { DecideSelection, SelectionDecision } from '@portcullis/contracts/api/drift';
import { ChangesPolicy } from '../changes/changes-policy.js';
import type { Changed } from '../changes/policy-changes.js';
import { CallingOperator } from '../http/calling-operator.js';
import { Requires } from '../http/route-marks.js';
import type { Caller } from '../operators/operator-tokens.js';
import { SelectionService } from './selection.service.js';

@ApiTags('servers')
@Controller('v1/definitions')
export class SelectionController {
  constructor(@Inject(SelectionService) private readonly selection: SelectionService) {}

  /** Approves what is selected at any servers, or tells what that would be. */
  @Post('approve')
  @HttpCode(200)
  @Requires('servers:write')
  @ChangesPolicy('definitions.approved')
  @ApiOkResponse({ standardSchema: SelectionDecision })
  async approve(@CallingOperator() caller: Caller, @Body({ schema: DecideSelection }) body: DecideSelection): Promise<Changed<SelectionDecision>> {
    return this.selection.decide(caller, 'approve', body);
  }

  @Post('reject')
  @HttpCode(200)
  @Requires('servers:write')
  @ChangesPolicy('definitions.rejected')
  @ApiOkResponse({ standardSchema: SelectionDecision })
  async reject(@CallingOperator() caller: Caller, @Body({ schema: DecideSelection }) body: DecideSelection): Promise<Changed<SelectionDecision>> {
    return this.selection.decide(caller, 'reject', body);
  }
}
