import { Controller, Get, Inject, Query, StreamableFile } from '@nestjs/common';
import { ApiOkResponse, ApiProduces, ApiTags } from '@nestjs/swagger';
import { AuditBlockRange, AuditSigningKeys } from '@portcullis/contracts/api/audit-proof';
import { CallingOperator } from '../http/calling-operator.js';
import { Audited, Requires } from '../http/route-marks.js';
import type { Caller } from '../operators/operator-tokens.js';
import { VerificationService } from './verification.service.js';

const type = 'application/x-ndjson';

/** Whether the trail is as it was recorded, and what it takes to see that without trusting this installation. */
@ApiTags('audit')
@Controller('v1/audit')
export class AuditProofController {
  constructor(@Inject(VerificationService) private readonly verification: VerificationService) {}

  @Get('verify')
  @Requires('audit:read')
  @Audited('audit.read')
  @ApiProduces(type)
  async verify(@CallingOperator() caller: Caller, @Query({ schema: AuditBlockRange }) range: AuditBlockRange): Promise<StreamableFile> {
    return new StreamableFile(await this.verification.verify(caller, range), { type });
  }

  @Get('proof')
  @Requires('audit:read')
  @Audited('audit.read')
  @ApiProduces(type)
  async proof(@CallingOperator() caller: Caller, @Query({ schema: AuditBlockRange }) range: AuditBlockRange): Promise<StreamableFile> {
    const disposition = 'attachment; filename="audit-proof.ndjson"';
    return new StreamableFile(await this.verification.export(caller, range), { type, disposition });
  }

  @Get('keys')
  @Requires('audit:read')
  @ApiOkResponse({ standardSchema: AuditSigningKeys })
  async keys(): Promise<AuditSigningKeys> {
    return { items: await this.verification.signingKeys(), nextCursor: null };
  }
}
