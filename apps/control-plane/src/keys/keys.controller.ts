import { Body, Controller, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { KeyGenerations, KeyPurposeName, KeyRingReport, MasterKeyState, RotateKey } from '@portcullis/contracts/api/keys';
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

  /** Seals every key anew under the master key that this process was started with. All control planes and discovery workers have to have it by then. */
  @Post('master/reseal')
  @HttpCode(200)
  @Requires('keys:write')
  @Audited('master-key.replaced')
  @ApiOkResponse({ standardSchema: MasterKeyState })
  async reseal(@CallingOperator() caller: Caller): Promise<MasterKeyState> {
    return this.keys.sealAnew(caller);
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
