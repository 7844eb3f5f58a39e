import { Global, Inject, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { openDatabase, PrismaClient } from '@portcullis/database';

/** A connection apart from the pool, for whoever must look at what is committed from inside a transaction. */
export const COMMITTED_READER = 'CommittedReader';

/** One connection pool for the whole process, under the token `PrismaClient`; closed when the application is. */
@Global()
@Module({})
export class DatabaseModule implements OnApplicationShutdown {
  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(COMMITTED_READER) private readonly committed: PrismaClient,
  ) {}

  static at(url: string): DynamicModule {
    return {
      module: DatabaseModule,
      providers: [
        { provide: PrismaClient, useFactory: () => openDatabase(url) },
        { provide: COMMITTED_READER, useFactory: () => openDatabase(url, 1) },
      ],
      exports: [PrismaClient, COMMITTED_READER],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.database.$disconnect();
    await this.committed.$disconnect();
  }
}
