import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { PageQuery } from '@portcullis/contracts/api/conventions';
import { CreateJoinToken, JoinToken } from '@portcullis/contracts/api/operations';
import { Runner, RunnerPage } from '@portcullis/contracts/api/runners';
import { Id } from '@portcullis/contracts/names';
import type { z } from 'zod';
import { ChangesPolicy } from '../changes/changes-policy.js';
import type { Changed } from '../changes/policy-changes.js';
import { CallingOperator } from '../http/calling-operator.js';
import { Audited, Requires } from '../http/route-marks.js';
import { JoinTokens } from '../nodes/join-tokens.js';
import type { Caller } from '../operators/operator-tokens.js';
import { RunnersService } from './runners.service.js';

@ApiTags('runners')
@Controller('v1/runners')
export class RunnersController {
  constructor(
    @Inject(RunnersService) private readonly runners: RunnersService,
    @Inject(JoinTokens) private readonly joinTokens: JoinTokens,
  ) {}

  @Get()
  @Requires('runners:read')
  @ApiOkResponse({ standardSchema: RunnerPage })
  async list(@Query({ schema: PageQuery }) { limit, cursor }: PageQuery): Promise<z.infer<typeof RunnerPage>> {
    return this.runners.list(limit, cursor);
  }

  @Get(':id')
  @Requires('runners:read')
  @ApiOkResponse({ standardSchema: Runner })
  async read(@Param('id', { schema: Id }) id: string): Promise<Runner> {
    return this.runners.read(id);
  }

  /** Lets runners enrol, and nobody else. */
  @Post('join-tokens')
  @Requires('runners:write')
  @Audited('join-token.created')
  @ApiCreatedResponse({ standardSchema: JoinToken })
  async createJoinToken(@Body({ schema: CreateJoinToken }) body: CreateJoinToken, @CallingOperator() caller: Caller): Promise<JoinToken> {
    return this.joinTokens.create(caller, 'runner', body);
  }

  /** Its key opens nothing any more, nodes go to it no more, and what it hosted moves. */
  @Delete(':id')
  @HttpCode(204)
  @Requires('runners:write')
  @ChangesPolicy('runner.deleted')
  @ApiNoContentResponse()
  async remove(@Param('id', { schema: Id }) id: string, @CallingOperator() caller: Caller): Promise<Changed<undefined>> {
    return this.runners.remove(caller, id);
  }
}
