import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { CreateGrant, Grant, GrantPage, ListGrantsQuery, UpdateGrant } from '@portcullis/contracts/api/grants';
import { Id } from '@portcullis/contracts/names';
import type { z } from 'zod';
import { ChangesPolicy } from '../changes/changes-policy.js';
import type { Changed } from '../changes/policy-changes.js';
import { CallingOperator } from '../http/calling-operator.js';
import { Requires } from '../http/route-marks.js';
import type { Caller } from '../operators/operator-tokens.js';
import { GrantsService } from './grants.service.js';

@ApiTags('grants')
@Controller('v1/grants')
export class GrantsController {
  constructor(@Inject(GrantsService) private readonly grants: GrantsService) {}

  @Get()
  @Requires('grants:read')
  @ApiOkResponse({ standardSchema: GrantPage })
  async list(@Query({ schema: ListGrantsQuery }) query: ListGrantsQuery): Promise<z.infer<typeof GrantPage>> {
    return this.grants.list(query);
  }

  @Post()
  @Requires('grants:write')
  @ChangesPolicy('grant.created')
  @ApiCreatedResponse({ standardSchema: Grant })
  async create(@CallingOperator() caller: Caller, @Body({ schema: CreateGrant }) body: CreateGrant): Promise<Changed<Grant>> {
    return this.grants.create(caller, body);
  }

  @Get(':id')
  @Requires('grants:read')
  @ApiOkResponse({ standardSchema: Grant })
  async read(@Param('id', { schema: Id }) id: string): Promise<Grant> {
    return this.grants.read(id);
  }

  @Patch(':id')
  @Requires('grants:write')
  @ChangesPolicy('grant.updated')
  @ApiOkResponse({ standardSchema: Grant })
  async update(
    @CallingOperator() caller: Caller,
    @Param('id', { schema: Id }) id: string,
    @Body({ schema: UpdateGrant }) body: UpdateGrant,
  ): Promise<Changed<Grant>> {
    return this.grants.update(caller, id, body);
  }

  @Delete(':id')
  @HttpCode(204)
  @Requires('grants:write')
  @ChangesPolicy('grant.deleted')
  @ApiNoContentResponse()
  async delete(@CallingOperator() caller: Caller, @Param('id', { schema: Id }) id: string): Promise<Changed<undefined>> {
    return this.grants.delete(caller, id);
  }
}
