import { Module } from '@nestjs/common';
import { LimitsModule } from '../limits/limits.module.js';
import { PolicyController } from './policy.controller.js';
import { PolicyService } from './policy.service.js';

@Module({ imports: [LimitsModule], controllers: [PolicyController], providers: [PolicyService] })
export class PolicyModule {}
