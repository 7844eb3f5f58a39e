import { Global, Inject, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { openDatabase, PrismaClient } from '@portcullis/database';

/** One connection pool for the whole process, under the token `PrismaClient`; closed when the application is. */
@Global()
@Module({})
export class DatabaseModule implements OnApplicationShutdown {
  constructor(@Inject(PrismaClient) private readonly database: PrismaClient) {}

  static at(url: string): DynamicModule {
    return {
      module: DatabaseModule,
      providers: [{ provide: PrismaClient, useFactory: () => openDatabase(url) }],
      exports: [PrismaClient],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.database.$disconnect();
  }
}
