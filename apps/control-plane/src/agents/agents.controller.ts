import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import {
  Agent,
  AgentKeyPage,
  AgentPage,
  CreateAgent,
  CreateAgentKey,
  CreatedAgentKey,
  ListAgentsQuery,
  RotateAgentKey,
  RotatedAgentKey,
  UpdateAgent,
} from '@portcullis/contracts/api/agents';
import { PageQuery, Reference } from '@portcullis/contracts/api/conventions';
import { CreatedTaskKey, CreateTaskKey } from '@portcullis/contracts/task-keys';
import { z } from 'zod';
import { ChangesPolicy } from '../changes/changes-policy.js';
import type { Changed } from '../changes/policy-changes.js';
import { CallingOperator } from '../http/calling-operator.js';
import { Audited, Requires } from '../http/route-marks.js';
import type { Caller } from '../operators/operator-tokens.js';
import { AgentKeysService } from './agent-keys.service.js';
import { TaskKeysService } from './task-keys.service.js';
import { AgentsService } from './agents.service.js';

const KeyId = z.string().min(1).max(64);

@ApiTags('agents')
@Controller('v1/agents')
export class AgentsController {
  constructor(
    @Inject(AgentsService) private readonly agents: AgentsService,
    @Inject(AgentKeysService) private readonly keys: AgentKeysService,
    @Inject(TaskKeysService) private readonly taskKeys: TaskKeysService,
  ) {}

  @Get()
  @Requires('agents:read')
  @ApiOkResponse({ standardSchema: AgentPage })
  async list(@Query({ schema: ListAgentsQuery }) query: ListAgentsQuery): Promise<z.infer<typeof AgentPage>> {
    return this.agents.list(query);
  }

  @Post()
  @Requires('agents:write')
  @ChangesPolicy('agent.created')
  @ApiCreatedResponse({ standardSchema: Agent })
  async create(@CallingOperator() caller: Caller, @Body({ schema: CreateAgent }) body: CreateAgent): Promise<Changed<Agent>> {
    return this.agents.create(caller, body);
  }

  @Get(':agent')
  @Requires('agents:read')
  @ApiOkResponse({ standardSchema: Agent })
  async read(@Param('agent', { schema: Reference }) agent: string): Promise<Agent> {
    return this.agents.read(agent);
  }

  @Patch(':agent')
  @Requires('agents:write')
  @ChangesPolicy('agent.updated')
  @ApiOkResponse({ standardSchema: Agent })
  async update(
    @CallingOperator() caller: Caller,
    @Param('agent', { schema: Reference }) agent: string,
    @Body({ schema: UpdateAgent }) body: UpdateAgent,
  ): Promise<Changed<Agent>> {
    return this.agents.update(caller, agent, body);
  }

  @Delete(':agent')
  @HttpCode(204)
  @Requires('agents:write')
  @ChangesPolicy('agent.deleted')
  @ApiNoContentResponse()
  async delete(@CallingOperator() caller: Caller, @Param('agent', { schema: Reference }) agent: string): Promise<Changed<undefined>> {
    return this.agents.delete(caller, agent);
  }

  @Get(':agent/keys')
  @Requires('agents:read')
  @ApiOkResponse({ standardSchema: AgentKeyPage })
  async listKeys(
    @Param('agent', { schema: Reference }) agent: string,
    @Query({ schema: PageQuery }) query: PageQuery,
  ): Promise<z.infer<typeof AgentKeyPage>> {
    return this.keys.list(agent, query);
  }

  @Post(':agent/keys')
  @Requires('agents:write')
  @ChangesPolicy('agent-key.created')
  @ApiCreatedResponse({ standardSchema: CreatedAgentKey })
  async createKey(
    @CallingOperator() caller: Caller,
    @Param('agent', { schema: Reference }) agent: string,
    @Body({ schema: CreateAgentKey }) body: CreateAgentKey,
  ): Promise<Changed<CreatedAgentKey>> {
    return this.keys.create(caller, agent, body);
  }

  @Delete(':agent/keys/:key')
  @HttpCode(204)
  @Requires('agents:write')
  @ChangesPolicy('agent-key.revoked')
  @ApiNoContentResponse()
  async revokeKey(
    @CallingOperator() caller: Caller,
    @Param('agent', { schema: Reference }) agent: string,
    @Param('key', { schema: KeyId }) key: string,
  ): Promise<Changed<undefined>> {
    return this.keys.revoke(caller, agent, key);
  }

  @Post(':agent/keys/:key/rotate')
  @Requires('agents:write')
  @ChangesPolicy('agent-key.rotated')
  @ApiCreatedResponse({ standardSchema: RotatedAgentKey })
  async rotateKey(
    @CallingOperator() caller: Caller,
    @Param('agent', { schema: Reference }) agent: string,
    @Param('key', { schema: KeyId }) keyId: string,
    @Body({ schema: RotateAgentKey }) body: RotateAgentKey,
  ): Promise<Changed<RotatedAgentKey>> {
    return this.keys.rotate(caller, agent, { ...body, keyId });
  }

  @Post(':agent/task-keys')
  @Requires('task-keys:write')
  @Audited('task-key.created')
  @ApiCreatedResponse({ standardSchema: CreatedTaskKey })
  async createTaskKey(
    @CallingOperator() caller: Caller,
    @Param('agent', { schema: Reference }) agent: string,
    @Body({ schema: CreateTaskKey }) body: CreateTaskKey,
  ): Promise<CreatedTaskKey> {
    return this.taskKeys.create(caller, agent, body);
  }
}
