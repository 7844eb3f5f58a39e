import { Module } from '@nestjs/common';
import { LimitUses } from './limit-uses.js';
import { LimitsController } from './limits.controller.js';
import { LimitsService } from './limits.service.js';

@Module({ controllers: [LimitsController], providers: [LimitsService, LimitUses], exports: [LimitUses] })
export class LimitsModule {}
