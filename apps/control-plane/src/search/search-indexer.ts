import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { PrismaClient } from '@portcullis/database';
import { indexServers } from './index-servers.js';

const LOOK_MS = 1000;
const NOTES_AT_ONCE = 100;
/** So few changes are indexed before a search is answered: whoever registers a server finds it. */
const NOTES_BEFORE_SEARCH = 20;

/** Makes what operators search in, behind whoever writes: neither imports nor discoveries wait for it. Every control plane runs one. */
@Injectable()
export class SearchIndexer implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('search');
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;

  constructor(@Inject(PrismaClient) private readonly database: PrismaClient) {}

  onApplicationBootstrap(): void {
    this.running = this.run();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  /** Indexes what changed a moment ago, unless it is too much to wait for. */
  async catchUp(): Promise<void> {
    const [notes] = await this.database.$queryRaw<{ count: bigint }[]>`
      SELECT count(*) AS count FROM (SELECT 1 FROM search_dirty LIMIT ${NOTES_BEFORE_SEARCH + 1}) AS first_few`;
    const count = Number(notes?.count ?? 0);
    if (count > 0 && count <= NOTES_BEFORE_SEARCH) await indexServers(this.database, NOTES_BEFORE_SEARCH, true);
  }

  private async run(): Promise<void> {
    let isTold = false;
    while (!this.stopping.signal.aborted) {
      const count = await indexServers(this.database, NOTES_AT_ONCE).then(
        (done) => {
          isTold = false;
          return done;
        },
        (error: unknown) => {
          if (!isTold) this.logger.warn({ msg: 'The search index lags behind', error: String(error) });
          isTold = true;
          return 0;
        },
      );
      if (count < NOTES_AT_ONCE) await sleep(LOOK_MS, undefined, { signal: this.stopping.signal }).catch(() => undefined);
    }
  }
}
