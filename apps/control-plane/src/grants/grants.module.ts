import { Module } from '@nestjs/common';
import { AgentsModule } from '../agents/agents.module.js';
import { GroupsModule } from '../groups/groups.module.js';
import { GrantsController } from './grants.controller.js';
import { GrantsService } from './grants.service.js';

@Module({ imports: [AgentsModule, GroupsModule], controllers: [GrantsController], providers: [GrantsService], exports: [GrantsService] })
export class GrantsModule {}
