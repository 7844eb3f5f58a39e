import { Global, Logger, Module, type DynamicModule } from '@nestjs/common';
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
export class KeysModule {
  static sealedUnder({ masterKey, previousMasterKey, auditKeyFile }: KeysConfig): DynamicModule {
    const open = async (database: PrismaClient): Promise<KeyRing> => {
      const ring = await KeyRing.open(database, masterKey, previousMasterKey);
      if (auditKeyFile !== undefined) await writeAuditKeyFile(auditKeyFile, ring.auditWorkerKeys());
      return ring;
    };
    const fresh = { provide: 'FreshKeys', inject: [KeyRing], useFactory: (keys: KeyRing) => keepFresh(keys, new Logger('keys')) };
    return {
      module: KeysModule,
      providers: [{ provide: KeyRing, inject: [PrismaClient], useFactory: open }, fresh, KeysService],
      exports: [KeyRing],
      controllers: [KeysController],
    };
  }
}
