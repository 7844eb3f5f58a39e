import { Body, Controller, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { BeginConnection, Credential, CredentialConnection, FinishConnection } from '@portcullis/contracts/api/credentials';
import { Id } from '@portcullis/contracts/names';
import { CallingOperator } from '../http/calling-operator.js';
import { Audited, Requires } from '../http/route-marks.js';
import type { Caller } from '../operators/operator-tokens.js';
import { ConnectionsService } from './connections.service.js';

@ApiTags('credentials')
@Controller('v1/credentials')
export class ConnectionsController {
  constructor(@Inject(ConnectionsService) private readonly connections: ConnectionsService) {}

  /** Begins a connection: where to send the browser of whoever consents to it. */
  @Post(':id/connect')
  @HttpCode(200)
  @Requires('credentials:write')
  @Audited('credential.connection-begun')
  @ApiOkResponse({ standardSchema: CredentialConnection })
  async begin(
    @CallingOperator() caller: Caller,
    @Param('id', { schema: Id }) id: string,
    @Body({ schema: BeginConnection }) body: BeginConnection,
  ): Promise<CredentialConnection> {
    return this.connections.begin(caller, id, body);
  }

  /** Ends it with what the browser came back with. */
  @Post(':id/connection')
  @HttpCode(200)
  @Requires('credentials:write')
  @Audited('credential.connected')
  @ApiOkResponse({ standardSchema: Credential })
  async finish(
    @CallingOperator() caller: Caller,
    @Param('id', { schema: Id }) id: string,
    @Body({ schema: FinishConnection }) body: FinishConnection,
  ): Promise<Credential> {
    return this.connections.finish(caller, id, body);
  }
}
