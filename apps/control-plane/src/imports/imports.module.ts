import { Inject, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { createEgress } from '@portcullis/egress';
import { CredentialVault } from '../credentials/credential-vault.js';
import { ImportParts } from './import-parts.js';
import { ImportSettings } from './import-settings.js';
import { ImportsController } from './imports.controller.js';
import { ImportsService } from './imports.service.js';
import { SILENCE_MS } from './open-body.js';

export interface ImportOptions {
  readonly rowsMax?: number | undefined;
  readonly registryUrl?: string | undefined;
  /** CIDR ranges beyond the public network that a registry may lie in. */
  readonly egressAllow?: readonly string[] | undefined;
  readonly silenceMs?: number | undefined;
}

const ROWS_MAX = 100_000;

/** The only noun of the REST server that goes out itself: to a registry, when an operator asks for it. */
@Module({})
export class ImportsModule implements OnApplicationShutdown {
  constructor(@Inject(ImportSettings) private readonly settings: ImportSettings) {}

  static with({ rowsMax = ROWS_MAX, registryUrl, egressAllow = [], silenceMs = SILENCE_MS }: ImportOptions = {}): DynamicModule {
    const useFactory = (): ImportSettings => new ImportSettings(createEgress({ allow: egressAllow }), rowsMax, registryUrl, silenceMs);
    return {
      module: ImportsModule,
      controllers: [ImportsController],
      providers: [ImportsService, ImportParts, CredentialVault, { provide: ImportSettings, useFactory }],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.settings.egress.close();
  }
}
