import { Module } from '@nestjs/common';
import { AgentsModule } from '../agents/agents.module.js';
import { LeastPrivilegeController } from './least-privilege.controller.js';
import { LeastPrivilegeService } from './least-privilege.service.js';

@Module({ imports: [AgentsModule], controllers: [LeastPrivilegeController], providers: [LeastPrivilegeService] })
export class LeastPrivilegeModule {}
