import { Body, Controller, Header, HttpCode, Inject, Post } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { EnrolRunner, RunnerHeartbeat, type EnrolRunnerResponse, type RunnerHeartbeatResponse } from '@portcullis/contracts/runner/heartbeat';
import type { Runner } from '@portcullis/database';
import type { Author } from '../changes/author.js';
import { Audited, NotAudited } from '../http/route-marks.js';
import { JoinedBy, JoiningRunnersOnly } from '../nodes/join.guard.js';
import { CallingRunner, RunnersOnly } from './runner.guard.js';
import { RunnerHeartbeats } from './runner-heartbeats.js';
import { RunnersService } from './runners.service.js';

/** What runners ask and tell. A runner's key passes nowhere else, and no other key passes here. */
@ApiExcludeController()
@Controller('v1/runner')
export class RunnerDoorController {
  constructor(
    @Inject(RunnersService) private readonly runners: RunnersService,
    @Inject(RunnerHeartbeats) private readonly heartbeats: RunnerHeartbeats,
  ) {}

  @Post('enrol')
  @HttpCode(200)
  @JoiningRunnersOnly()
  @Audited('runner.enrolled')
  @Header('cache-control', 'no-store')
  async enrol(@Body({ schema: EnrolRunner }) body: EnrolRunner, @JoinedBy() author: Author): Promise<EnrolRunnerResponse> {
    return this.runners.enrol(author, body);
  }

  @Post('heartbeat')
  @HttpCode(200)
  @RunnersOnly()
  @NotAudited('a heartbeat, sent every two seconds')
  @Header('cache-control', 'no-store')
  async heartbeat(@Body({ schema: RunnerHeartbeat }) body: RunnerHeartbeat, @CallingRunner() runner: Runner): Promise<RunnerHeartbeatResponse> {
    return this.heartbeats.take(runner, body);
  }
}
