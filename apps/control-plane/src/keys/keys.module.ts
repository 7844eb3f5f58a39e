import { Global, Inject, Logger, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { PrismaClient } from '@portcullis/database';
import type { Config } from '../config.js';
import { keepFresh } from './keep-fresh.js';
import { KeyRing } from './key-ring.js';
import { KeysController } from './keys.controller.js';
import { KeysService } from './keys.service.js';
import { writeAuditKeyFile } from './write-audit-key-file.js';

type KeysConfig = Pick<Config, 'masterKey' | 'previousMasterKey' | 'auditKeyFile'>;

/** The key ring of the process, under the token `KeyRing`. It takes in what other control planes rotate every few seconds. */
@Global()
@Module({})
export class KeysModule implements OnApplicationShutdown {
  private readonly logger = new Logger('keys');
  private readonly stop: () => void;

  constructor(@Inject(KeyRing) keys: KeyRing) {
    const msg = 'The key ring could not be read; the known keys stay in use';
    this.stop = keepFresh(keys, (error) => this.logger.warn({ msg, error: String(error) }));
  }

  static sealedUnder({ masterKey, previousMasterKey, auditKeyFile }: KeysConfig): DynamicModule {
    const open = async (database: PrismaClient): Promise<KeyRing> => {
      const ring = await KeyRing.open(database, masterKey, previousMasterKey);
      if (auditKeyFile !== undefined) await writeAuditKeyFile(auditKeyFile, ring.auditWorkerKeys());
      return ring;
    };
    return {
      module: KeysModule,
      providers: [{ provide: KeyRing, inject: [PrismaClient], useFactory: open }, KeysService],
      exports: [KeyRing],
      controllers: [KeysController],
    };
  }

  onApplicationShutdown(): void {
    this.stop();
  }
}
