import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { AgentIdentity, AgentIdentityPage, CreateAgentIdentity } from '@portcullis/contracts/api/agents';
import { PageQuery, Reference } from '@portcullis/contracts/api/conventions';
import { Id } from '@portcullis/contracts/names';
import type { z } from 'zod';
import { ChangesPolicy } from '../changes/changes-policy.js';
import type { Changed } from '../changes/policy-changes.js';
import { CallingOperator } from '../http/calling-operator.js';
import { Requires } from '../http/route-marks.js';
import type { Caller } from '../operators/operator-tokens.js';
import { AgentIdentitiesService } from './agent-identities.service.js';

@ApiTags('agents')
@Controller('v1/agents/:agent/identities')
export class AgentIdentitiesController {
  constructor(@Inject(AgentIdentitiesService) private readonly identities: AgentIdentitiesService) {}

  @Get()
  @Requires('agents:read')
  @ApiOkResponse({ standardSchema: AgentIdentityPage })
  async list(
    @Param('agent', { schema: Reference }) agent: string,
    @Query({ schema: PageQuery }) query: PageQuery,
  ): Promise<z.infer<typeof AgentIdentityPage>> {
    return this.identities.list(agent, query);
  }

  @Post()
  @Requires('agents:write')
  @ChangesPolicy('agent-identity.created')
  @ApiCreatedResponse({ standardSchema: AgentIdentity })
  async create(
    @CallingOperator() caller: Caller,
    @Param('agent', { schema: Reference }) agent: string,
    @Body({ schema: CreateAgentIdentity }) body: CreateAgentIdentity,
  ): Promise<Changed<AgentIdentity>> {
    return this.identities.create(caller, agent, body);
  }

  @Delete(':identity')
  @HttpCode(204)
  @Requires('agents:write')
  @ChangesPolicy('agent-identity.deleted')
  @ApiNoContentResponse()
  async delete(
    @CallingOperator() caller: Caller,
    @Param('agent', { schema: Reference }) agent: string,
    @Param('identity', { schema: Id }) identity: string,
  ): Promise<Changed<undefined>> {
    return this.identities.delete(caller, agent, identity);
  }
}
