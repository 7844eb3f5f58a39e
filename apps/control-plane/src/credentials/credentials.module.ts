import { Module, type DynamicModule } from '@nestjs/common';
import { AgentsModule } from '../agents/agents.module.js';
import { DiscoveryModule } from '../discovery/discovery.module.js';
import { ServersModule } from '../servers/servers.module.js';
import { CredentialHolders } from './credential-holders.js';
import { CredentialMaker } from './credential-maker.js';
import { CredentialVault } from './credential-vault.js';
import { CredentialsController } from './credentials.controller.js';
import { CredentialsService } from './credentials.service.js';
import { CREDENTIAL_OPTIONS, OauthOutlet, type CredentialOptions } from './oauth-outlet.js';

@Module({})
export class CredentialsModule {
  static with(options: CredentialOptions = {}): DynamicModule {
    return {
      module: CredentialsModule,
      imports: [AgentsModule, DiscoveryModule, ServersModule],
      controllers: [CredentialsController],
      providers: [
        { provide: CREDENTIAL_OPTIONS, useValue: options },
        CredentialHolders,
        CredentialMaker,
        CredentialVault,
        CredentialsService,
        OauthOutlet,
      ],
    };
  }
}
