import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Reference } from '@portcullis/contracts/api/conventions';
import { DecideDefinitions, DecideDefinitionsResult, DefinitionPage, ListDefinitionsQuery } from '@portcullis/contracts/api/servers';
import type { z } from 'zod';
import { ChangesPolicy } from '../changes/changes-policy.js';
import type { Changed } from '../changes/policy-changes.js';
import { CallingOperator } from '../http/calling-operator.js';
import { Requires } from '../http/route-marks.js';
import type { Caller } from '../operators/operator-tokens.js';
import { DefinitionsService } from './definitions.service.js';

@ApiTags('servers')
@Controller('v1/servers/:server/definitions')
export class DefinitionsController {
  constructor(@Inject(DefinitionsService) private readonly definitions: DefinitionsService) {}

  @Get()
  @Requires('servers:read')
  @ApiOkResponse({ standardSchema: DefinitionPage })
  async list(
    @Param('server', { schema: Reference }) server: string,
    @Query({ schema: ListDefinitionsQuery }) query: ListDefinitionsQuery,
  ): Promise<z.infer<typeof DefinitionPage>> {
    return this.definitions.list(server, query);
  }

  @Post('approve')
  @HttpCode(200)
  @Requires('servers:write')
  @ChangesPolicy('definitions.approved')
  @ApiOkResponse({ standardSchema: DecideDefinitionsResult })
  async approve(
    @CallingOperator() caller: Caller,
    @Param('server', { schema: Reference }) server: string,
    @Body({ schema: DecideDefinitions }) body: DecideDefinitions,
  ): Promise<Changed<DecideDefinitionsResult>> {
    return this.definitions.decide(caller, server, 'approve', body);
  }

  @Post('reject')
  @HttpCode(200)
  @Requires('servers:write')
  @ChangesPolicy('definitions.rejected')
  @ApiOkResponse({ standardSchema: DecideDefinitionsResult })
  async reject(
    @CallingOperator() caller: Caller,
    @Param('server', { schema: Reference }) server: string,
    @Body({ schema: DecideDefinitions }) body: DecideDefinitions,
  ): Promise<Changed<DecideDefinitionsResult>> {
    return this.definitions.decide(caller, server, 'reject', body);
  }
}
