import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Put } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Reference } from '@portcullis/contracts/api/conventions';
import { ReplaceServerTls, ServerTls } from '@portcullis/contracts/api/server-tls';
import { ChangesPolicy } from '../changes/changes-policy.js';
import type { Changed } from '../changes/policy-changes.js';
import { CallingOperator } from '../http/calling-operator.js';
import { Requires } from '../http/route-marks.js';
import type { Caller } from '../operators/operator-tokens.js';
import { ServerTlsService } from './server-tls.service.js';

@ApiTags('credentials')
@Controller('v1/servers/:server/tls')
export class ServerTlsController {
  constructor(@Inject(ServerTlsService) private readonly tls: ServerTlsService) {}

  @Get()
  @Requires('credentials:read')
  @ApiOkResponse({ standardSchema: ServerTls })
  async read(@Param('server', { schema: Reference }) server: string): Promise<ServerTls> {
    return this.tls.read(server);
  }

  @Put()
  @Requires('credentials:write')
  @ChangesPolicy('server-tls.replaced')
  @ApiOkResponse({ standardSchema: ServerTls })
  async replace(
    @CallingOperator() caller: Caller,
    @Param('server', { schema: Reference }) server: string,
    @Body({ schema: ReplaceServerTls }) body: ReplaceServerTls,
  ): Promise<Changed<ServerTls>> {
    return this.tls.replace(caller, server, body);
  }

  @Delete()
  @HttpCode(204)
  @Requires('credentials:write')
  @ChangesPolicy('server-tls.deleted')
  @ApiNoContentResponse()
  async delete(@CallingOperator() caller: Caller, @Param('server', { schema: Reference }) server: string): Promise<Changed<undefined>> {
    return this.tls.delete(caller, server);
  }
}
