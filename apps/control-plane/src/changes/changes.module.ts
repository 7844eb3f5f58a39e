import { Global, Module } from '@nestjs/common';
import { PolicyChanges } from './policy-changes.js';
import { PolicyNews } from './policy-news.js';
import { RecordedChanges } from './recorded-changes.js';

/** Every noun writes through these. */
@Global()
@Module({ providers: [PolicyChanges, PolicyNews, RecordedChanges], exports: [PolicyChanges, PolicyNews, RecordedChanges] })
export class ChangesModule {}
