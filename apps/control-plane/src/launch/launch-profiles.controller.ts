import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Reference } from '@portcullis/contracts/api/conventions';
import {
  ApproveLaunchProfile,
  LaunchProfilePage,
  LaunchProfileVersion,
  ListLaunchProfilesQuery,
  ProposeLaunchProfile,
  RejectLaunchProfile,
} from '@portcullis/contracts/api/launch-profiles';
import { z } from 'zod';
import { ChangesPolicy } from '../changes/changes-policy.js';
import type { Changed } from '../changes/policy-changes.js';
import { CallingOperator } from '../http/calling-operator.js';
import { Requires } from '../http/route-marks.js';
import type { Caller } from '../operators/operator-tokens.js';
import { LaunchProfilesService } from './launch-profiles.service.js';

const Version = z.coerce.number().int().min(1).max(2_147_483_647);

@ApiTags('launch profiles')
@Controller('v1')
export class LaunchProfilesController {
  constructor(@Inject(LaunchProfilesService) private readonly profiles: LaunchProfilesService) {}

  @Get('profiles')
  @Requires('servers:read')
  @ApiOkResponse({ standardSchema: LaunchProfilePage })
  async list(@Query({ schema: ListLaunchProfilesQuery }) query: ListLaunchProfilesQuery): Promise<z.infer<typeof LaunchProfilePage>> {
    return this.profiles.list(query);
  }

  @Get('servers/:server/profiles/:version')
  @Requires('servers:read')
  @ApiOkResponse({ standardSchema: LaunchProfileVersion })
  async read(
    @Param('server', { schema: Reference }) server: string,
    @Param('version', { schema: Version }) version: number,
  ): Promise<LaunchProfileVersion> {
    return this.profiles.read(server, version);
  }

  @Post('servers/:server/profiles')
  @Requires('servers:write')
  @ChangesPolicy('profile.proposed')
  @ApiCreatedResponse({ standardSchema: LaunchProfileVersion })
  async propose(
    @CallingOperator() caller: Caller,
    @Param('server', { schema: Reference }) server: string,
    @Body({ schema: ProposeLaunchProfile }) body: ProposeLaunchProfile,
  ): Promise<Changed<LaunchProfileVersion>> {
    return this.profiles.propose(caller, server, body);
  }

  @Post('servers/:server/profiles/:version/approve')
  @HttpCode(200)
  @Requires('profiles:approve')
  @ChangesPolicy('profile.approved')
  @ApiOkResponse({ standardSchema: LaunchProfileVersion })
  async approve(
    @CallingOperator() caller: Caller,
    @Param('server', { schema: Reference }) server: string,
    @Param('version', { schema: Version }) version: number,
    @Body({ schema: ApproveLaunchProfile }) body: ApproveLaunchProfile,
  ): Promise<Changed<LaunchProfileVersion>> {
    return this.profiles.approve(caller, server, version, body);
  }

  @Post('servers/:server/profiles/:version/reject')
  @HttpCode(200)
  @Requires('profiles:approve')
  @ChangesPolicy('profile.rejected')
  @ApiOkResponse({ standardSchema: LaunchProfileVersion })
  async reject(
    @CallingOperator() caller: Caller,
    @Param('server', { schema: Reference }) server: string,
    @Param('version', { schema: Version }) version: number,
    @Body({ schema: RejectLaunchProfile }) body: RejectLaunchProfile,
  ): Promise<Changed<LaunchProfileVersion>> {
    return this.profiles.reject(caller, server, version, body);
  }
}
