import { Body, Controller, HttpCode, Inject, Post } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { NodeAccessLookup, NodeAccessRequest, type NodeAccessAnswer, type NodeAccessFound } from '@portcullis/contracts/node';
import { Audited, NotAudited } from '../http/route-marks.js';
import { NodesOnly } from '../nodes/node.guard.js';
import { AgentRequestsService } from './agent-requests.service.js';

/** What agents ask through nodes, which have no database of their own. */
@ApiExcludeController()
@Controller('v1/node/access-requests')
export class NodeRequestsController {
  constructor(@Inject(AgentRequestsService) private readonly requests: AgentRequestsService) {}

  @Post()
  @HttpCode(200)
  @NodesOnly()
  @Audited('access-request.filed')
  async file(@Body({ schema: NodeAccessRequest }) body: NodeAccessRequest): Promise<NodeAccessAnswer> {
    return this.requests.file(body);
  }

  @Post('find')
  @HttpCode(200)
  @NodesOnly()
  @NotAudited('reads; the node records the call')
  async find(@Body({ schema: NodeAccessLookup }) body: NodeAccessLookup): Promise<NodeAccessFound> {
    return this.requests.find(body);
  }
}
