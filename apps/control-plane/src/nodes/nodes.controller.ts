import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { PageQuery } from '@portcullis/contracts/api/conventions';
import { CreateJoinToken, JoinToken, NodePage } from '@portcullis/contracts/api/operations';
import { Id } from '@portcullis/contracts/names';
import type { z } from 'zod';
import { CallingOperator } from '../http/calling-operator.js';
import { Audited, Requires } from '../http/route-marks.js';
import type { Caller } from '../operators/operator-tokens.js';
import { JoinTokens } from './join-tokens.js';
import { NodesService } from './nodes.service.js';

@ApiTags('nodes')
@Controller('v1/nodes')
export class NodesController {
  constructor(
    @Inject(NodesService) private readonly nodes: NodesService,
    @Inject(JoinTokens) private readonly joinTokens: JoinTokens,
  ) {}

  @Get()
  @Requires('nodes:read')
  @ApiOkResponse({ standardSchema: NodePage })
  async list(@Query({ schema: PageQuery }) { limit, cursor }: PageQuery): Promise<z.infer<typeof NodePage>> {
    return this.nodes.list(limit, cursor);
  }

  @Post('join-tokens')
  @Requires('nodes:write')
  @Audited('join-token.created')
  @ApiCreatedResponse({ standardSchema: JoinToken })
  async createJoinToken(@Body({ schema: CreateJoinToken }) body: CreateJoinToken, @CallingOperator() caller: Caller): Promise<JoinToken> {
    return this.joinTokens.create(caller, 'node', body);
  }

  @Delete(':id')
  @HttpCode(204)
  @Requires('nodes:write')
  @Audited('node.deleted')
  @ApiNoContentResponse()
  async remove(@Param('id', { schema: Id }) id: string, @CallingOperator() caller: Caller): Promise<void> {
    await this.nodes.remove(caller, id);
  }
}
