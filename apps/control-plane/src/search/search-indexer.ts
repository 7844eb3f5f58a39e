import { Inject, Injectable } from '@nestjs/common';
import { PrismaClient } from '@portcullis/database';
import type { BackgroundWork } from '../background/background-loop.js';
import { indexServers } from './index-servers.js';

const LOOK_MS = 1000;
const NOTES_AT_ONCE = 100;
/** So few changes are indexed before a search is answered: whoever registers a server finds it. */
const NOTES_BEFORE_SEARCH = 20;

/** Makes what operators search in, behind whoever writes: neither imports nor discoveries wait for it. Every control plane runs one. */
@Injectable()
export class SearchIndexer implements BackgroundWork {
  readonly everyMs = LOOK_MS;
  readonly complaint = 'The search index lags behind';

  constructor(@Inject(PrismaClient) private readonly database: PrismaClient) {}

  async turn(): Promise<boolean> {
    return (await indexServers(this.database, NOTES_AT_ONCE)) === NOTES_AT_ONCE;
  }

  /** Indexes what changed a moment ago, unless it is too much to wait for. */
  async catchUp(): Promise<void> {
    const [notes] = await this.database.$queryRaw<{ count: bigint }[]>`
      SELECT count(*) AS count FROM (SELECT 1 FROM search_dirty LIMIT ${NOTES_BEFORE_SEARCH + 1}) AS first_few`;
    const count = Number(notes?.count ?? 0);
    if (count > 0 && count <= NOTES_BEFORE_SEARCH) await indexServers(this.database, NOTES_BEFORE_SEARCH, true);
  }
}
