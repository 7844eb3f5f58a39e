import { Body, Controller, Get, Inject, Patch } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { Settings, UpdateSettings } from '@portcullis/contracts/api/policy';
import { ChangesPolicy } from '../changes/changes-policy.js';
import type { Changed } from '../changes/policy-changes.js';
import { CallingOperator } from '../http/calling-operator.js';
import { Requires } from '../http/route-marks.js';
import type { Caller } from '../operators/operator-tokens.js';
import { SettingsService } from './settings.service.js';

@ApiTags('settings')
@Controller('v1/settings')
export class SettingsController {
  constructor(@Inject(SettingsService) private readonly settings: SettingsService) {}

  @Get()
  @Requires('settings:read')
  @ApiOkResponse({ standardSchema: Settings })
  async read(): Promise<Settings> {
    return this.settings.read();
  }

  @Patch()
  @Requires('settings:write')
  @ChangesPolicy('settings.updated')
  @ApiOkResponse({ standardSchema: Settings })
  async update(@CallingOperator() caller: Caller, @Body({ schema: UpdateSettings }) body: UpdateSettings): Promise<Changed<Settings>> {
    return this.settings.update(caller, body);
  }
}
