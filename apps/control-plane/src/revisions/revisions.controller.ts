import { Controller, Get, Inject, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { PageQuery } from '@portcullis/contracts/api/conventions';
import { Revision, RevisionPage } from '@portcullis/contracts/api/policy';
import { z } from 'zod';
import { Requires } from '../http/route-marks.js';
import { RevisionsService } from './revisions.service.js';

const RevisionNumber = z
  .string()
  .regex(/^\d{1,9}$/, 'must be a number')
  .transform(Number);

@ApiTags('revisions')
@Controller('v1/revisions')
export class RevisionsController {
  constructor(@Inject(RevisionsService) private readonly revisions: RevisionsService) {}

  @Get()
  @Requires('revisions:read')
  @ApiOkResponse({ standardSchema: RevisionPage })
  async list(@Query({ schema: PageQuery }) query: PageQuery): Promise<z.infer<typeof RevisionPage>> {
    return this.revisions.list(query);
  }

  @Get(':revision')
  @Requires('revisions:read')
  @ApiOkResponse({ standardSchema: Revision })
  async read(@Param('revision', { schema: RevisionNumber }) revision: number): Promise<Revision> {
    return this.revisions.read(revision);
  }
}
