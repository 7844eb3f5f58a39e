import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { AccessPage, AccessQuery } from '@portcullis/contracts/api/agents';
import { Reference } from '@portcullis/contracts/api/conventions';
import { ExplainRequest, ExplainResponse } from '@portcullis/contracts/api/policy';
import { NotAudited, Requires } from '../http/route-marks.js';
import { PolicyService } from './policy.service.js';

@ApiTags('policy')
@Controller('v1')
export class PolicyController {
  constructor(@Inject(PolicyService) private readonly policy: PolicyService) {}

  @Get('agents/:agent/access')
  @Requires('policy:read')
  @ApiOkResponse({ standardSchema: AccessPage })
  async access(@Param('agent', { schema: Reference }) agent: string, @Query({ schema: AccessQuery }) query: AccessQuery): Promise<AccessPage> {
    return this.policy.access(agent, query);
  }

  @Post('policy/explain')
  @HttpCode(200)
  @Requires('policy:read')
  @NotAudited('asks and changes nothing')
  @ApiOkResponse({ standardSchema: ExplainResponse })
  async explain(@Body({ schema: ExplainRequest }) body: ExplainRequest): Promise<ExplainResponse> {
    return this.policy.explain(body);
  }
}
