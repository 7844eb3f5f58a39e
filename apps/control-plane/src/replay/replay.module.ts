import { Module, type DynamicModule } from '@nestjs/common';
import { ServersModule } from '../servers/servers.module.js';
import { ReplayController } from './replay.controller.js';
import { REPLAY_OPTIONS, ReplayCaller, type ReplayOptions } from './replay-caller.js';
import { ReplayService } from './replay.service.js';

@Module({})
export class ReplayModule {
  static with(options: ReplayOptions = {}): DynamicModule {
    const settings = { provide: REPLAY_OPTIONS, useValue: options };
    return { module: ReplayModule, imports: [ServersModule], controllers: [ReplayController], providers: [settings, ReplayCaller, ReplayService] };
  }
}
