import { Module } from '@nestjs/common';
import { DiscoveryModule } from '../discovery/discovery.module.js';
import { DraftsModule } from '../drafts/drafts.module.js';
import { RevisionsController } from './revisions.controller.js';
import { RevisionsService } from './revisions.service.js';

@Module({ imports: [DiscoveryModule, DraftsModule], controllers: [RevisionsController], providers: [RevisionsService] })
export class RevisionsModule {}
