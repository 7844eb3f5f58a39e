import { Global, Module } from '@nestjs/common';
import { AppliedEverywhere } from './applied-everywhere.js';
import { PolicyChanges } from './policy-changes.js';
import { PolicyNews } from './policy-news.js';
import { RecordedChanges } from './recorded-changes.js';
import { SelfWideningGuard } from './self-widening-guard.js';

/** Every noun writes through these. */
@Global()
@Module({
  providers: [AppliedEverywhere, PolicyChanges, PolicyNews, RecordedChanges, SelfWideningGuard],
  exports: [AppliedEverywhere, PolicyChanges, PolicyNews, RecordedChanges],
})
export class ChangesModule {}
