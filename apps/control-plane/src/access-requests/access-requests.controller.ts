import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import {
  AccessRequest,
  AccessRequestPage,
  AccessRequestThread,
  ApproveAccessRequest,
  CreateAccessRequest,
  DenyAccessRequest,
  ListAccessRequestsQuery,
} from '@portcullis/contracts/api/access-requests';
import { Id } from '@portcullis/contracts/names';
import type { z } from 'zod';
import { ChangesPolicy } from '../changes/changes-policy.js';
import type { Changed } from '../changes/policy-changes.js';
import { CallingOperator } from '../http/calling-operator.js';
import { Audited, Requires } from '../http/route-marks.js';
import type { Caller } from '../operators/operator-tokens.js';
import { AccessRequestsService } from './access-requests.service.js';
import { DecisionsService } from './decisions.service.js';
import { RequestThreadService } from './request-thread.service.js';

@ApiTags('access requests')
@Controller('v1/access-requests')
export class AccessRequestsController {
  constructor(
    @Inject(AccessRequestsService) private readonly requests: AccessRequestsService,
    @Inject(DecisionsService) private readonly decisions: DecisionsService,
    @Inject(RequestThreadService) private readonly threads: RequestThreadService,
  ) {}

  @Get()
  @Requires('access-requests:read')
  @ApiOkResponse({ standardSchema: AccessRequestPage })
  async list(@Query({ schema: ListAccessRequestsQuery }) query: ListAccessRequestsQuery): Promise<z.infer<typeof AccessRequestPage>> {
    return this.requests.list(query);
  }

  @Post()
  @Requires('access-requests:write')
  @Audited('access-request.filed')
  @ApiCreatedResponse({ standardSchema: AccessRequest })
  async file(@CallingOperator() caller: Caller, @Body({ schema: CreateAccessRequest }) body: CreateAccessRequest): Promise<AccessRequest> {
    return this.requests.file(caller, body);
  }

  @Get(':id')
  @Requires('access-requests:read')
  @ApiOkResponse({ standardSchema: AccessRequest })
  async read(@Param('id', { schema: Id }) id: string): Promise<AccessRequest> {
    return this.requests.read(id);
  }

  @Get(':id/thread')
  @Requires('access-requests:read')
  @ApiOkResponse({ standardSchema: AccessRequestThread })
  async thread(@Param('id', { schema: Id }) id: string): Promise<AccessRequestThread> {
    return this.threads.read(id);
  }

  @Post(':id/approve')
  @HttpCode(200)
  @Requires('access-requests:decide')
  @ChangesPolicy('access-request.approved')
  @ApiOkResponse({ standardSchema: AccessRequest })
  async approve(
    @CallingOperator() caller: Caller,
    @Param('id', { schema: Id }) id: string,
    @Body({ schema: ApproveAccessRequest }) body: ApproveAccessRequest,
  ): Promise<Changed<AccessRequest>> {
    return this.decisions.approve(caller, id, body);
  }

  @Post(':id/deny')
  @HttpCode(200)
  @Requires('access-requests:decide')
  @Audited('access-request.denied')
  @ApiOkResponse({ standardSchema: AccessRequest })
  async deny(
    @CallingOperator() caller: Caller,
    @Param('id', { schema: Id }) id: string,
    @Body({ schema: DenyAccessRequest }) body: DenyAccessRequest,
  ): Promise<AccessRequest> {
    return this.decisions.deny(caller, id, body);
  }

  @Post(':id/withdraw')
  @HttpCode(200)
  @Requires('access-requests:write')
  @Audited('access-request.withdrawn')
  @ApiOkResponse({ standardSchema: AccessRequest })
  async withdraw(@CallingOperator() caller: Caller, @Param('id', { schema: Id }) id: string): Promise<AccessRequest> {
    return this.requests.withdraw(caller, id);
  }
}
