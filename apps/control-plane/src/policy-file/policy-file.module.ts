import { Module } from '@nestjs/common';
import { DraftsModule } from '../drafts/drafts.module.js';
import { PolicyFileController } from './policy-file.controller.js';
import { PolicyFileService } from './policy-file.service.js';

@Module({ imports: [DraftsModule], controllers: [PolicyFileController], providers: [PolicyFileService] })
export class PolicyFileModule {}
