import { Body, Controller, Get, Header, HttpCode, Inject, Post, Query } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiOkResponse, ApiProduces, ApiTags } from '@nestjs/swagger';
import { RehearsableQuery } from '@portcullis/contracts/api/conventions';
import { ApplyResult } from '@portcullis/contracts/api/drafts';
import { ImportQuery } from '@portcullis/contracts/api/policy-file';
import { z } from 'zod';
import { ChangesPolicy, TakesQuery } from '../changes/changes-policy.js';
import type { Changed } from '../changes/policy-changes.js';
import { YAML_TYPE } from '../http/accept-text.js';
import { CallingOperator } from '../http/calling-operator.js';
import { Requires } from '../http/route-marks.js';
import type { Caller } from '../operators/operator-tokens.js';
import { PolicyFileService } from './policy-file.service.js';

const FileQuery = z.strictObject({ ...RehearsableQuery.shape, ...ImportQuery.shape });

const example = `version: 1
agents:
  code-review-agent: { owner: platform team }
grants:
  - agent: code-review-agent
    server: github
    names: [create_issue]
`;

@ApiTags('policy')
@Controller('v1/policy')
export class PolicyFileController {
  constructor(@Inject(PolicyFileService) private readonly files: PolicyFileService) {}

  @Get('export')
  @Requires('policy:read')
  @Header('content-type', `${YAML_TYPE}; charset=utf-8`)
  @ApiProduces(YAML_TYPE)
  @ApiOkResponse({ schema: { type: 'string' } })
  async export(): Promise<string> {
    return this.files.export();
  }

  /** Makes policy say what the file says, in one revision. */
  @Post('import')
  @HttpCode(200)
  @Requires('policy:write')
  @ChangesPolicy('policy.imported')
  @TakesQuery(FileQuery)
  @ApiConsumes(YAML_TYPE)
  @ApiBody({ schema: { type: 'string' }, examples: { policy: { value: example } } })
  @ApiOkResponse({ standardSchema: ApplyResult })
  async import(
    @CallingOperator() caller: Caller,
    @Body({ schema: z.string() }) text: string,
    @Query({ schema: FileQuery }) { reason, prune, dryRun }: z.infer<typeof FileQuery>,
  ): Promise<Changed<ApplyResult>> {
    return this.files.import(caller, text, { reason, prune: prune === 'true', dryRun: dryRun === 'true' });
  }
}
