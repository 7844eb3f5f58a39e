import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Put, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { CreateCredential, Credential, CredentialPage, ListCredentialsQuery, ReplaceCredential } from '@portcullis/contracts/api/credentials';
import { Id } from '@portcullis/contracts/names';
import type { z } from 'zod';
import { ChangesPolicy } from '../changes/changes-policy.js';
import type { Changed } from '../changes/policy-changes.js';
import { CallingOperator } from '../http/calling-operator.js';
import { Requires } from '../http/route-marks.js';
import type { Caller } from '../operators/operator-tokens.js';
import { CredentialsService } from './credentials.service.js';

@ApiTags('credentials')
@Controller('v1/credentials')
export class CredentialsController {
  constructor(@Inject(CredentialsService) private readonly credentials: CredentialsService) {}

  @Get()
  @Requires('credentials:read')
  @ApiOkResponse({ standardSchema: CredentialPage })
  async list(@Query({ schema: ListCredentialsQuery }) query: ListCredentialsQuery): Promise<z.infer<typeof CredentialPage>> {
    return this.credentials.list(query);
  }

  @Post()
  @Requires('credentials:write')
  @ChangesPolicy('credential.created')
  @ApiCreatedResponse({ standardSchema: Credential })
  async create(@CallingOperator() caller: Caller, @Body({ schema: CreateCredential }) body: CreateCredential): Promise<Changed<Credential>> {
    return this.credentials.create(caller, body);
  }

  @Get(':id')
  @Requires('credentials:read')
  @ApiOkResponse({ standardSchema: Credential })
  async read(@Param('id', { schema: Id }) id: string): Promise<Credential> {
    return this.credentials.read(id);
  }

  @Put(':id')
  @Requires('credentials:write')
  @ChangesPolicy('credential.replaced')
  @ApiOkResponse({ standardSchema: Credential })
  async replace(
    @CallingOperator() caller: Caller,
    @Param('id', { schema: Id }) id: string,
    @Body({ schema: ReplaceCredential }) body: ReplaceCredential,
  ): Promise<Changed<Credential>> {
    return this.credentials.replace(caller, id, body);
  }

  @Delete(':id')
  @HttpCode(204)
  @Requires('credentials:write')
  @ChangesPolicy('credential.deleted')
  @ApiNoContentResponse()
  async delete(@CallingOperator() caller: Caller, @Param('id', { schema: Id }) id: string): Promise<Changed<undefined>> {
    return this.credentials.delete(caller, id);
  }
}
