import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { PageQuery } from '@portcullis/contracts/api/conventions';
import {
  CreatedOperatorToken,
  CreateOperator,
  CreateOperatorToken,
  Operator,
  OperatorPage,
  OperatorTokenPage,
  UpdateOperator,
} from '@portcullis/contracts/api/operations';
import { z } from 'zod';
import { CallingOperator } from '../http/calling-operator.js';
import { Audited, Requires } from '../http/route-marks.js';
import type { Caller } from './operator-tokens.js';
import { OperatorsService } from './operators.service.js';

/** An operator's UUID or name. */
const OperatorReference = z.string().min(1).max(120);
const TokenId = z.string().min(1).max(64);

@ApiTags('operators')
@Controller('v1/operators')
export class OperatorsController {
  constructor(@Inject(OperatorsService) private readonly operators: OperatorsService) {}

  @Get()
  @Requires('operators:read')
  @ApiOkResponse({ standardSchema: OperatorPage })
  async list(@Query({ schema: PageQuery }) query: PageQuery): Promise<z.infer<typeof OperatorPage>> {
    return this.operators.list(query);
  }

  @Post()
  @Requires('operators:write')
  @Audited('operator.created')
  @ApiCreatedResponse({ standardSchema: Operator })
  async create(@CallingOperator() caller: Caller, @Body({ schema: CreateOperator }) body: CreateOperator): Promise<Operator> {
    return this.operators.create(caller, body);
  }

  @Get(':operator')
  @Requires('operators:read')
  @ApiOkResponse({ standardSchema: Operator })
  async read(@Param('operator', { schema: OperatorReference }) operator: string): Promise<Operator> {
    return this.operators.read(operator);
  }

  @Patch(':operator')
  @Requires('operators:write')
  @Audited('operator.updated')
  @ApiOkResponse({ standardSchema: Operator })
  async update(
    @CallingOperator() caller: Caller,
    @Param('operator', { schema: OperatorReference }) operator: string,
    @Body({ schema: UpdateOperator }) body: UpdateOperator,
  ): Promise<Operator> {
    return this.operators.update(caller, operator, body);
  }

  @Delete(':operator')
  @HttpCode(204)
  @Requires('operators:write')
  @Audited('operator.deleted')
  @ApiNoContentResponse()
  async delete(@CallingOperator() caller: Caller, @Param('operator', { schema: OperatorReference }) operator: string): Promise<void> {
    await this.operators.delete(caller, operator);
  }

  @Get(':operator/tokens')
  @Requires('operators:read')
  @ApiOkResponse({ standardSchema: OperatorTokenPage })
  async listTokens(
    @Param('operator', { schema: OperatorReference }) operator: string,
    @Query({ schema: PageQuery }) query: PageQuery,
  ): Promise<z.infer<typeof OperatorTokenPage>> {
    return this.operators.listTokens(operator, query);
  }

  @Post(':operator/tokens')
  @Requires('operators:write')
  @Audited('operator-token.created')
  @ApiCreatedResponse({ standardSchema: CreatedOperatorToken })
  async createToken(
    @CallingOperator() caller: Caller,
    @Param('operator', { schema: OperatorReference }) operator: string,
    @Body({ schema: CreateOperatorToken }) body: CreateOperatorToken,
  ): Promise<CreatedOperatorToken> {
    return this.operators.createToken(caller, operator, body);
  }

  @Delete(':operator/tokens/:token')
  @HttpCode(204)
  @Requires('operators:write')
  @Audited('operator-token.revoked')
  @ApiNoContentResponse()
  async revokeToken(
    @CallingOperator() caller: Caller,
    @Param('operator', { schema: OperatorReference }) operator: string,
    @Param('token', { schema: TokenId }) token: string,
  ): Promise<void> {
    await this.operators.revokeToken(caller, operator, token);
  }
}
