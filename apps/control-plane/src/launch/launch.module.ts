import { Module } from '@nestjs/common';
import { ServersModule } from '../servers/servers.module.js';
import { HostingController } from './hosting.controller.js';
import { HostingService } from './hosting.service.js';
import { LaunchProfilesController } from './launch-profiles.controller.js';
import { LaunchProfilesService } from './launch-profiles.service.js';

@Module({
  imports: [ServersModule],
  controllers: [LaunchProfilesController, HostingController],
  providers: [LaunchProfilesService, HostingService],
})
export class LaunchModule {}
