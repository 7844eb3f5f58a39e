import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { LeastPrivilegePage, LeastPrivilegeQuery } from '@portcullis/contracts/api/least-privilege';
import { Requires } from '../http/route-marks.js';
import { LeastPrivilegeService } from './least-privilege.service.js';

@ApiTags('policy')
@Controller('v1/policy/least-privilege')
export class LeastPrivilegeController {
  constructor(@Inject(LeastPrivilegeService) private readonly leastPrivilege: LeastPrivilegeService) {}

  @Get()
  @Requires('policy:read')
  @ApiOkResponse({ standardSchema: LeastPrivilegePage })
  async report(@Query({ schema: LeastPrivilegeQuery }) query: LeastPrivilegeQuery): Promise<LeastPrivilegePage> {
    return this.leastPrivilege.report(query);
  }
}
