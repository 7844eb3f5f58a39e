import { Module } from '@nestjs/common';
import { AgentKeysService } from './agent-keys.service.js';
import { AgentsController } from './agents.controller.js';
import { TaskKeysService } from './task-keys.service.js';
import { AgentsService } from './agents.service.js';

@Module({ controllers: [AgentsController], providers: [AgentsService, AgentKeysService, TaskKeysService], exports: [AgentsService] })
export class AgentsModule {}
