import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { CreateRequestable, ListRequestableQuery, Requestable, RequestablePage, UpdateRequestable } from '@portcullis/contracts/api/access-requests';
import { Id } from '@portcullis/contracts/names';
import type { z } from 'zod';
import { ChangesPolicy } from '../changes/changes-policy.js';
import type { Changed } from '../changes/policy-changes.js';
import { CallingOperator } from '../http/calling-operator.js';
import { Requires } from '../http/route-marks.js';
import type { Caller } from '../operators/operator-tokens.js';
import { RequestableService } from './requestable.service.js';

@ApiTags('access requests')
@Controller('v1/requestable')
export class RequestableController {
  constructor(@Inject(RequestableService) private readonly rules: RequestableService) {}

  @Get()
  @Requires('grants:read')
  @ApiOkResponse({ standardSchema: RequestablePage })
  async list(@Query({ schema: ListRequestableQuery }) query: ListRequestableQuery): Promise<z.infer<typeof RequestablePage>> {
    return this.rules.list(query);
  }

  @Post()
  @Requires('grants:write')
  @ChangesPolicy('requestable.created')
  @ApiCreatedResponse({ standardSchema: Requestable })
  async create(@CallingOperator() caller: Caller, @Body({ schema: CreateRequestable }) body: CreateRequestable): Promise<Changed<Requestable>> {
    return this.rules.create(caller, body);
  }

  @Get(':id')
  @Requires('grants:read')
  @ApiOkResponse({ standardSchema: Requestable })
  async read(@Param('id', { schema: Id }) id: string): Promise<Requestable> {
    return this.rules.read(id);
  }

  @Patch(':id')
  @Requires('grants:write')
  @ChangesPolicy('requestable.updated')
  @ApiOkResponse({ standardSchema: Requestable })
  async update(
    @CallingOperator() caller: Caller,
    @Param('id', { schema: Id }) id: string,
    @Body({ schema: UpdateRequestable }) body: UpdateRequestable,
  ): Promise<Changed<Requestable>> {
    return this.rules.update(caller, id, body);
  }

  @Delete(':id')
  @HttpCode(204)
  @Requires('grants:write')
  @ChangesPolicy('requestable.deleted')
  @ApiNoContentResponse()
  async delete(@CallingOperator() caller: Caller, @Param('id', { schema: Id }) id: string): Promise<Changed<undefined>> {
    return this.rules.delete(caller, id);
  }
}
