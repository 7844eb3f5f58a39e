import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Put, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { AgentPage, CreateGroup, Group, GroupPage } from '@portcullis/contracts/api/agents';
import { PageQuery, Reference } from '@portcullis/contracts/api/conventions';
import type { z } from 'zod';
import { ChangesPolicy } from '../changes/changes-policy.js';
import type { Changed } from '../changes/policy-changes.js';
import { CallingOperator } from '../http/calling-operator.js';
import { Requires } from '../http/route-marks.js';
import type { Caller } from '../operators/operator-tokens.js';
import { GroupsService } from './groups.service.js';

@ApiTags('groups')
@Controller('v1/groups')
export class GroupsController {
  constructor(@Inject(GroupsService) private readonly groups: GroupsService) {}

  @Get()
  @Requires('groups:read')
  @ApiOkResponse({ standardSchema: GroupPage })
  async list(@Query({ schema: PageQuery }) query: PageQuery): Promise<z.infer<typeof GroupPage>> {
    return this.groups.list(query);
  }

  @Post()
  @Requires('groups:write')
  @ChangesPolicy('group.created')
  @ApiCreatedResponse({ standardSchema: Group })
  async create(@CallingOperator() caller: Caller, @Body({ schema: CreateGroup }) body: CreateGroup): Promise<Changed<Group>> {
    return this.groups.create(caller, body);
  }

  @Get(':group')
  @Requires('groups:read')
  @ApiOkResponse({ standardSchema: Group })
  async read(@Param('group', { schema: Reference }) group: string): Promise<Group> {
    return this.groups.read(group);
  }

  @Delete(':group')
  @HttpCode(204)
  @Requires('groups:write')
  @ChangesPolicy('group.deleted')
  @ApiNoContentResponse()
  async delete(@CallingOperator() caller: Caller, @Param('group', { schema: Reference }) group: string): Promise<Changed<undefined>> {
    return this.groups.delete(caller, group);
  }

  @Get(':group/members')
  @Requires('groups:read')
  @ApiOkResponse({ standardSchema: AgentPage })
  async members(
    @Param('group', { schema: Reference }) group: string,
    @Query({ schema: PageQuery }) query: PageQuery,
  ): Promise<z.infer<typeof AgentPage>> {
    return this.groups.members(group, query);
  }

  @Put(':group/members/:agent')
  @HttpCode(204)
  @Requires('groups:write')
  @ChangesPolicy('group-member.added')
  @ApiNoContentResponse()
  async addMember(
    @CallingOperator() caller: Caller,
    @Param('group', { schema: Reference }) group: string,
    @Param('agent', { schema: Reference }) agent: string,
  ): Promise<Changed<undefined>> {
    return this.groups.addMember(caller, group, agent);
  }

  @Delete(':group/members/:agent')
  @HttpCode(204)
  @Requires('groups:write')
  @ChangesPolicy('group-member.removed')
  @ApiNoContentResponse()
  async removeMember(
    @CallingOperator() caller: Caller,
    @Param('group', { schema: Reference }) group: string,
    @Param('agent', { schema: Reference }) agent: string,
  ): Promise<Changed<undefined>> {
    return this.groups.removeMember(caller, group, agent);
  }
}
