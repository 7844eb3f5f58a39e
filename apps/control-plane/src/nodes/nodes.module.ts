import { Module, type DynamicModule } from '@nestjs/common';
import { DiscoveryModule } from '../discovery/discovery.module.js';
import { AuditWatermarksRepository } from './audit-watermarks.repository.js';
import { HandedOverBatchesController } from './handed-over-batches.controller.js';
import { HandedOverBatchesRepository } from './handed-over-batches.repository.js';
import { FIXED_JOIN_TOKENS, JoinTokens } from './join-tokens.js';
import { NodeAuditKeysService } from './node-audit-keys.service.js';
import { NodeDoorController } from './node-door.controller.js';
import { NodeGuard } from './node.guard.js';
import { NodeReportsService } from './node-reports.service.js';
import { NodesController } from './nodes.controller.js';
import { NodesRepository } from './nodes.repository.js';
import { NodesService } from './nodes.service.js';

@Module({})
export class NodesModule {
  /** `joinToken` lets nodes enrol beside the tokens that operators make, for installations that are set up by a file. */
  static joinedWith(joinToken: string | undefined): DynamicModule {
    return {
      module: NodesModule,
      imports: [DiscoveryModule],
      controllers: [NodesController, NodeDoorController, HandedOverBatchesController],
      providers: [
        NodesService,
        NodeReportsService,
        NodesRepository,
        AuditWatermarksRepository,
        NodeAuditKeysService,
        HandedOverBatchesRepository,
        NodeGuard,
        JoinTokens,
        { provide: FIXED_JOIN_TOKENS, useValue: { node: joinToken } },
      ],
    };
  }
}
