import { Body, Controller, Get, Header, HttpCode, Inject, Param, Post, StreamableFile } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import {
  ChunkParams,
  EnrolRequest,
  NodeAuditKey,
  NodeChange,
  NodeStatus,
  type EnrolResponse,
  type NodeAuditKeyResponse,
  type NodeKeysResponse,
  type NodeStatusResponse,
} from '@portcullis/contracts/node';
import type { SignedHead } from '@portcullis/contracts/snapshot';
import type { Node } from '@portcullis/database';
import type { Author } from '../changes/author.js';
import { DiscoveryRequestsService } from '../discovery/discovery-requests.service.js';
import { Audited, NotAudited } from '../http/route-marks.js';
import { JoinedBy, JoinersOnly } from './join.guard.js';
import { CallingNode, NodesOnly } from './node.guard.js';
import { NodeAuditKeysService } from './node-audit-keys.service.js';
import { NodeReportsService } from './node-reports.service.js';
import { NodesService } from './nodes.service.js';

/** What gateway nodes ask and tell. Operators' tokens do not pass here, nodes' keys pass nowhere else. */
@ApiExcludeController()
@Controller('v1/node')
export class NodeDoorController {
  constructor(
    @Inject(NodesService) private readonly nodes: NodesService,
    @Inject(NodeReportsService) private readonly reports: NodeReportsService,
    @Inject(NodeAuditKeysService) private readonly auditKeys: NodeAuditKeysService,
    @Inject(DiscoveryRequestsService) private readonly discovery: DiscoveryRequestsService,
  ) {}

  @Post('enrol')
  @HttpCode(200)
  @JoinersOnly()
  @Audited('node.enrolled')
  @Header('cache-control', 'no-store')
  async enrol(@Body({ schema: EnrolRequest }) body: EnrolRequest, @JoinedBy() author: Author): Promise<EnrolResponse> {
    return this.nodes.enrol(author, body);
  }

  @Get('keys')
  @NodesOnly()
  @Header('cache-control', 'no-store')
  keys(@CallingNode() node: Node): NodeKeysResponse {
    return { sealedKeys: this.nodes.sealedKeys(node) };
  }

  @Post('audit-key')
  @HttpCode(200)
  @NodesOnly()
  @Audited('node-audit-key.registered')
  @Header('cache-control', 'no-store')
  async auditKey(@Body({ schema: NodeAuditKey }) body: NodeAuditKey, @CallingNode() node: Node): Promise<NodeAuditKeyResponse> {
    return this.auditKeys.register(node, body);
  }

  @Get('head')
  @NodesOnly()
  @Header('cache-control', 'no-store')
  head(): SignedHead {
    return this.reports.head();
  }

  @Get('chunks/:digest')
  @NodesOnly()
  async chunk(@Param('digest', { schema: ChunkParams.shape.digest }) digest: string): Promise<StreamableFile> {
    return new StreamableFile(await this.reports.chunk(digest), { type: 'application/json' });
  }

  @Post('status')
  @HttpCode(200)
  @NodesOnly()
  @NotAudited('a heartbeat, sent every two seconds')
  async status(@Body({ schema: NodeStatus }) status: NodeStatus, @CallingNode() node: Node): Promise<NodeStatusResponse> {
    return this.reports.report(node, status);
  }

  @Post('changes')
  @HttpCode(204)
  @NodesOnly()
  @NotAudited('says only that somebody should look')
  async changed(@Body({ schema: NodeChange }) { serverId }: NodeChange): Promise<void> {
    await this.discovery.noteChanged(serverId);
  }
}
