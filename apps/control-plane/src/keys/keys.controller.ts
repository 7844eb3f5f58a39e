import { Body, Controller, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { KeyGenerations, KeyPurposeName, KeyRingReport, RotateKey } from '@portcullis/contracts/api/keys';
import { CallingOperator } from '../http/calling-operator.js';
import { Audited, Requires } from '../http/route-marks.js';
import type { Caller } from '../operators/operator-tokens.js';
import { KeysService } from './keys.service.js';

@ApiTags('keys')
@Controller('v1/keys')
export class KeysController {
  constructor(@Inject(KeysService) private readonly keys: KeysService) {}

  @Get()
  @Requires('keys:read')
  @ApiOkResponse({ standardSchema: KeyRingReport })
  async list(): Promise<KeyRingReport> {
    return this.keys.report();
  }

  @Post(':purpose/rotate')
  @HttpCode(200)
  @Requires('keys:write')
  @Audited('key.rotated')
  @ApiOkResponse({ standardSchema: KeyGenerations })
  async rotate(
    @CallingOperator() caller: Caller,
    @Param('purpose', { schema: KeyPurposeName }) purpose: KeyPurposeName,
    @Body({ schema: RotateKey }) body: RotateKey,
  ): Promise<KeyGenerations> {
    return this.keys.rotate(caller, purpose, body);
  }
}
