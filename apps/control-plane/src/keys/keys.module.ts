import { Global, Inject, Logger, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { PrismaClient } from '@portcullis/database';
import { KeyRing } from './key-ring.js';

const REFRESH_MS = 5_000;

/** The key ring of the process, under the token `KeyRing`. It takes in what other control planes rotate every few seconds. */
@Global()
@Module({})
export class KeysModule implements OnApplicationShutdown {
  private readonly logger = new Logger('keys');
  private readonly timer: NodeJS.Timeout;

  constructor(@Inject(KeyRing) keys: KeyRing) {
    this.timer = setInterval(() => {
      keys
        .refresh()
        .catch((error: unknown) => this.logger.warn({ msg: 'The key ring could not be read; the known keys stay in use', error: String(error) }));
    }, REFRESH_MS).unref();
  }

  static sealedUnder(masterKey: Uint8Array): DynamicModule {
    return {
      module: KeysModule,
      providers: [{ provide: KeyRing, inject: [PrismaClient], useFactory: async (database: PrismaClient) => KeyRing.open(database, masterKey) }],
      exports: [KeyRing],
    };
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }
}
