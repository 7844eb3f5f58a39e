import { Module } from '@nestjs/common';
import { AgentIdentitiesController } from './agent-identities.controller.js';
import { AgentIdentitiesService } from './agent-identities.service.js';
import { AgentKeysService } from './agent-keys.service.js';
import { AgentsController } from './agents.controller.js';
import { TaskKeysService } from './task-keys.service.js';
import { AgentsService } from './agents.service.js';

@Module({
  controllers: [AgentsController, AgentIdentitiesController],
  providers: [AgentsService, AgentKeysService, AgentIdentitiesService, TaskKeysService],
  exports: [AgentsService],
})
export class AgentsModule {}
