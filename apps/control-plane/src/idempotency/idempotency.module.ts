import { Module } from '@nestjs/common';
import { inBackground } from '../background/in-background.js';
import { IdempotencyKeys } from './idempotency-keys.js';

@Module({ providers: inBackground(IdempotencyKeys, 'idempotency'), exports: [IdempotencyKeys] })
export class IdempotencyModule {}
