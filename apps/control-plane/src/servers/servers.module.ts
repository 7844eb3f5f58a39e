import { Module } from '@nestjs/common';
import { DiscoveryModule } from '../discovery/discovery.module.js';
import { DefinitionsController } from './definitions.controller.js';
import { DefinitionsService } from './definitions.service.js';
import { SelectionController } from './selection.controller.js';
import { SelectionService } from './selection.service.js';
import { ServersController } from './servers.controller.js';
import { ServersService } from './servers.service.js';

@Module({
  imports: [DiscoveryModule],
  controllers: [ServersController, DefinitionsController, SelectionController],
  providers: [ServersService, DefinitionsService, SelectionService],
  exports: [ServersService, DefinitionsService],
})
export class ServersModule {}
