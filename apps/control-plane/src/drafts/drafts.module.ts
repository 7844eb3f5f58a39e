import { Module } from '@nestjs/common';
import { DiscoveryModule } from '../discovery/discovery.module.js';
import { DraftsController } from './drafts.controller.js';
import { PreviewsService } from './previews.service.js';

@Module({ imports: [DiscoveryModule], controllers: [DraftsController], providers: [PreviewsService], exports: [PreviewsService] })
export class DraftsModule {}
