import { Body, Controller, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { ReplayCall, ReplayResult } from '@portcullis/contracts/api/replays';
import { Id } from '@portcullis/contracts/names';
import { CallingOperator } from '../http/calling-operator.js';
import { Audited, Requires } from '../http/route-marks.js';
import type { Caller } from '../operators/operator-tokens.js';
import { ReplayService } from './replay.service.js';

@ApiTags('audit')
@Controller('v1/audit')
export class ReplayController {
  constructor(@Inject(ReplayService) private readonly replays: ReplayService) {}

  @Post('calls/:callId/replay')
  @HttpCode(200)
  @Requires('calls:replay')
  @Audited('call.replayed')
  @ApiOkResponse({ standardSchema: ReplayResult })
  async replay(
    @CallingOperator() caller: Caller,
    @Param('callId', { schema: Id }) callId: string,
    @Body({ schema: ReplayCall }) body: ReplayCall,
  ): Promise<ReplayResult> {
    return this.replays.replay(caller, callId, body);
  }
}
