import { Body, Controller, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Reference } from '@portcullis/contracts/api/conventions';
import { MoveServer, RestartServer, ServerLog } from '@portcullis/contracts/api/launch-profiles';
import { CallingOperator } from '../http/calling-operator.js';
import { Audited, Requires } from '../http/route-marks.js';
import type { Caller } from '../operators/operator-tokens.js';
import { HostingService } from './hosting.service.js';

@ApiTags('servers')
@Controller('v1/servers/:server')
export class HostingController {
  constructor(@Inject(HostingService) private readonly hosting: HostingService) {}

  /** What its children last wrote to stderr. */
  @Get('log')
  @Requires('servers:read')
  @ApiOkResponse({ standardSchema: ServerLog })
  async log(@Param('server', { schema: Reference }) server: string): Promise<ServerLog> {
    return this.hosting.log(server);
  }

  /** Has its runner start its children anew; a quarantine ends. */
  @Post('restart')
  @HttpCode(204)
  @Requires('servers:write')
  @Audited('server.restarted')
  @ApiNoContentResponse()
  async restart(
    @CallingOperator() caller: Caller,
    @Param('server', { schema: Reference }) server: string,
    @Body({ schema: RestartServer }) body: RestartServer,
  ): Promise<void> {
    return this.hosting.restart(caller, server, body);
  }

  /** Has another runner host it. Calls go where they went until that one knows of it. */
  @Post('move')
  @HttpCode(204)
  @Requires('servers:write')
  @Audited('server.moved')
  @ApiNoContentResponse()
  async move(
    @CallingOperator() caller: Caller,
    @Param('server', { schema: Reference }) server: string,
    @Body({ schema: MoveServer }) body: MoveServer,
  ): Promise<void> {
    return this.hosting.move(caller, server, body);
  }
}
