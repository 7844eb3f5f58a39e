import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Reference } from '@portcullis/contracts/api/conventions';
import { ResumeServer } from '@portcullis/contracts/api/drift';
import { CreateServer, DiscoverQuery, DiscoveryReport, ListServersQuery, Server, ServerPage, UpdateServer } from '@portcullis/contracts/api/servers';
import type { z } from 'zod';
import { ChangesPolicy } from '../changes/changes-policy.js';
import type { Changed } from '../changes/policy-changes.js';
import { DiscoveryRequestsService } from '../discovery/discovery-requests.service.js';
import { CallingOperator } from '../http/calling-operator.js';
import { NotAudited, Requires } from '../http/route-marks.js';
import type { Caller } from '../operators/operator-tokens.js';
import { ServersService } from './servers.service.js';

@ApiTags('servers')
@Controller('v1/servers')
export class ServersController {
  constructor(
    @Inject(ServersService) private readonly servers: ServersService,
    @Inject(DiscoveryRequestsService) private readonly discovery: DiscoveryRequestsService,
  ) {}

  @Get()
  @Requires('servers:read')
  @ApiOkResponse({ standardSchema: ServerPage })
  async list(@Query({ schema: ListServersQuery }) query: ListServersQuery): Promise<z.infer<typeof ServerPage>> {
    return this.servers.list(query);
  }

  @Post()
  @Requires('servers:write')
  @ChangesPolicy('server.created')
  @ApiCreatedResponse({ standardSchema: Server })
  async create(@CallingOperator() caller: Caller, @Body({ schema: CreateServer }) body: CreateServer): Promise<Changed<Server>> {
    return this.servers.create(caller, body);
  }

  @Get(':server')
  @Requires('servers:read')
  @ApiOkResponse({ standardSchema: Server })
  async read(@Param('server', { schema: Reference }) server: string): Promise<Server> {
    return this.servers.read(server);
  }

  @Patch(':server')
  @Requires('servers:write')
  @ChangesPolicy('server.updated')
  @ApiOkResponse({ standardSchema: Server })
  async update(
    @CallingOperator() caller: Caller,
    @Param('server', { schema: Reference }) server: string,
    @Body({ schema: UpdateServer }) body: UpdateServer,
  ): Promise<Changed<Server>> {
    return this.servers.update(caller, server, body);
  }

  /** Ends a suspension for what the server changed. */
  @Post(':server/resume')
  @HttpCode(200)
  @Requires('servers:write')
  @ChangesPolicy('server.resumed')
  @ApiOkResponse({ standardSchema: Server })
  async resume(
    @CallingOperator() caller: Caller,
    @Param('server', { schema: Reference }) server: string,
    @Body({ schema: ResumeServer }) body: ResumeServer,
  ): Promise<Changed<Server>> {
    return this.servers.resume(caller, server, body);
  }

  @Delete(':server')
  @HttpCode(204)
  @Requires('servers:write')
  @ChangesPolicy('server.deleted')
  @ApiNoContentResponse()
  async delete(@CallingOperator() caller: Caller, @Param('server', { schema: Reference }) server: string): Promise<Changed<undefined>> {
    return this.servers.delete(caller, server);
  }

  /** Asks the server now what it offers, and waits for the answer a while. */
  @Post(':server/discovery')
  @HttpCode(200)
  @Requires('servers:write')
  @NotAudited('changes nothing itself; what discovery finds is on record when it changes policy')
  @ApiOkResponse({ standardSchema: DiscoveryReport })
  async discover(
    @Param('server', { schema: Reference }) server: string,
    @Query({ schema: DiscoverQuery }) { waitSeconds }: z.infer<typeof DiscoverQuery>,
  ): Promise<DiscoveryReport> {
    const { id } = await this.servers.read(server);
    const finished = await this.discovery.run(id, waitSeconds * 1000);
    return { finished, server: await this.servers.read(id) };
  }
}
