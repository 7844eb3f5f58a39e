import { Module } from '@nestjs/common';
import { EpochsController } from './epochs.controller.js';
import { EpochsService } from './epochs.service.js';

@Module({ controllers: [EpochsController], providers: [EpochsService] })
export class EpochsModule {}
