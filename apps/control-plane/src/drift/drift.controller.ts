import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Reference } from '@portcullis/contracts/api/conventions';
import { DefinitionDiff, DriftChangeDetail, DriftPage, ListDriftQuery } from '@portcullis/contracts/api/drift';
import { Id } from '@portcullis/contracts/names';
import { Requires } from '../http/route-marks.js';
import { DriftService } from './drift.service.js';

@ApiTags('drift')
@Controller('v1')
export class DriftController {
  constructor(@Inject(DriftService) private readonly drift: DriftService) {}

  /** What servers changed, newest first: this week, or in any interval. */
  @Get('drift')
  @Requires('servers:read')
  @ApiOkResponse({ standardSchema: DriftPage })
  async list(@Query({ schema: ListDriftQuery }) query: ListDriftQuery): Promise<DriftPage> {
    return this.drift.list(query);
  }

  @Get('drift/:id')
  @Requires('servers:read')
  @ApiOkResponse({ standardSchema: DriftChangeDetail })
  async read(@Param('id', { schema: Id }) id: string): Promise<DriftChangeDetail> {
    return this.drift.read(id);
  }

  /** What is offered against what was approved. */
  @Get('servers/:server/definitions/:id/diff')
  @Requires('servers:read')
  @ApiOkResponse({ standardSchema: DefinitionDiff })
  async diff(@Param('server', { schema: Reference }) server: string, @Param('id', { schema: Id }) id: string): Promise<DefinitionDiff> {
    return this.drift.diff(server, id);
  }
}
