import { Module } from '@nestjs/common';
import { AgentsModule } from '../agents/agents.module.js';
import { inBackground } from '../background/in-background.js';
import { GrantsModule } from '../grants/grants.module.js';
import { GroupsModule } from '../groups/groups.module.js';
import { NodeGuard } from '../nodes/node.guard.js';
import { NodesRepository } from '../nodes/nodes.repository.js';
import { ServersModule } from '../servers/servers.module.js';
import { AccessRequestsController } from './access-requests.controller.js';
import { AccessRequestsService } from './access-requests.service.js';
import { AgentRequestsService } from './agent-requests.service.js';
import { DecisionsService } from './decisions.service.js';
import { NodeRequestsController } from './node-requests.controller.js';
import { RequestClock } from './request-clock.js';
import { RequestThreadService } from './request-thread.service.js';
import { RequestableController } from './requestable.controller.js';
import { RequestableService } from './requestable.service.js';

@Module({
  imports: [AgentsModule, GroupsModule, ServersModule, GrantsModule],
  controllers: [AccessRequestsController, RequestableController, NodeRequestsController],
  providers: [
    AccessRequestsService,
    AgentRequestsService,
    DecisionsService,
    ...inBackground(RequestClock, 'access-requests'),
    RequestThreadService,
    RequestableService,
    NodeGuard,
    NodesRepository,
  ],
})
export class AccessRequestsModule {}
