import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { PageQuery, RehearsableQuery } from '@portcullis/contracts/api/conventions';
import { ApplyResult } from '@portcullis/contracts/api/drafts';
import { RevertRevision, RevisionDetail, RevisionPage } from '@portcullis/contracts/api/policy';
import { z } from 'zod';
import { ChangesPolicy, Rehearsable } from '../changes/changes-policy.js';
import type { Changed } from '../changes/policy-changes.js';
import { CallingOperator } from '../http/calling-operator.js';
import { Requires } from '../http/route-marks.js';
import type { Caller } from '../operators/operator-tokens.js';
import { RevisionsService } from './revisions.service.js';

const Reverted = z.union([RevisionDetail, ApplyResult]);

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
  @ApiOkResponse({ standardSchema: RevisionDetail })
  async read(@Param('revision', { schema: RevisionNumber }) revision: number): Promise<RevisionDetail> {
    return this.revisions.read(revision);
  }

  /** Undoes all that the revision did, as a new revision; with `dryRun` tells what that would change, and for whom. */
  @Post(':revision/revert')
  @HttpCode(200)
  @Requires('policy:write')
  @ChangesPolicy('policy.reverted')
  @Rehearsable()
  @ApiOkResponse({ standardSchema: Reverted })
  async revert(
    @CallingOperator() caller: Caller,
    @Param('revision', { schema: RevisionNumber }) revision: number,
    @Body({ schema: RevertRevision }) { reason }: RevertRevision,
    @Query({ schema: RehearsableQuery }) { dryRun }: RehearsableQuery,
  ): Promise<Changed<z.infer<typeof Reverted>>> {
    return dryRun === 'true' ? this.revisions.rehearse(caller, revision) : this.revisions.revert(caller, revision, reason);
  }
}
