import { Global, Module } from '@nestjs/common';
import { DiscoveryModule } from '../discovery/discovery.module.js';
import { DraftsController } from './drafts.controller.js';
import { DraftsService } from './drafts.service.js';
import { PreviewsService } from './previews.service.js';

/** Every change of policy can be rehearsed, so every noun needs it. */
@Global()
@Module({
  imports: [DiscoveryModule],
  controllers: [DraftsController],
  providers: [DraftsService, PreviewsService],
  exports: [DraftsService, PreviewsService],
})
export class DraftsModule {}
