import { Module } from '@nestjs/common';
import { ServersModule } from '../servers/servers.module.js';
import { DriftController } from './drift.controller.js';
import { DriftService } from './drift.service.js';

@Module({ imports: [ServersModule], controllers: [DriftController], providers: [DriftService] })
export class DriftModule {}
