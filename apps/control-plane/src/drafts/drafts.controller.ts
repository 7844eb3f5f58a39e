import { Body, Controller, HttpCode, Inject, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { RehearsableQuery } from '@portcullis/contracts/api/conventions';
import { ApplyRequest, ApplyResult, Preview, PreviewQuery, PreviewRequest } from '@portcullis/contracts/api/drafts';
import { ChangesPolicy, Rehearsable } from '../changes/changes-policy.js';
import type { Changed } from '../changes/policy-changes.js';
import { CallingOperator } from '../http/calling-operator.js';
import { NotAudited, Requires } from '../http/route-marks.js';
import type { Caller } from '../operators/operator-tokens.js';
import { DraftsService } from './drafts.service.js';

@ApiTags('policy')
@Controller('v1/policy')
export class DraftsController {
  constructor(@Inject(DraftsService) private readonly drafts: DraftsService) {}

  @Post('preview')
  @HttpCode(200)
  @Requires('policy:read')
  @NotAudited('asks and changes nothing')
  @ApiOkResponse({ standardSchema: Preview })
  async preview(@Body({ schema: PreviewRequest }) body: PreviewRequest, @Query({ schema: PreviewQuery }) query: PreviewQuery): Promise<Preview> {
    return this.drafts.preview(body, query);
  }

  /** All changes of a draft in one revision, or none. */
  @Post('apply')
  @HttpCode(200)
  @Requires('policy:write')
  @ChangesPolicy('policy.applied')
  @Rehearsable()
  @ApiOkResponse({ standardSchema: ApplyResult })
  async apply(
    @CallingOperator() caller: Caller,
    @Body({ schema: ApplyRequest }) body: ApplyRequest,
    @Query({ schema: RehearsableQuery }) { dryRun }: RehearsableQuery,
  ): Promise<Changed<ApplyResult>> {
    return this.drafts.apply(caller, body, dryRun === 'true');
  }
}
