import { Module, type DynamicModule } from '@nestjs/common';
import { AgentsModule } from '../agents/agents.module.js';
import { inBackground } from '../background/in-background.js';
import { DiscoveryModule } from '../discovery/discovery.module.js';
import { ServersModule } from '../servers/servers.module.js';
import { CredentialHolders } from './credential-holders.js';
import { CredentialMaker } from './credential-maker.js';
import { CredentialResealer } from './credential-resealer.js';
import { ConnectionWays } from './connection-ways.js';
import { ConnectionsController } from './connections.controller.js';
import { ConnectionsService } from './connections.service.js';
import { NodeTokensController } from './node-tokens.controller.js';
import { NodeGuard } from '../nodes/node.guard.js';
import { NodesRepository } from '../nodes/nodes.repository.js';
import { CredentialVault } from './credential-vault.js';
import { CredentialsController } from './credentials.controller.js';
import { CredentialsService } from './credentials.service.js';
import { ServerTlsController } from './server-tls.controller.js';
import { ServerTlsService } from './server-tls.service.js';
import { CREDENTIAL_OPTIONS, OauthOutlet, type CredentialOptions } from './oauth-outlet.js';

@Module({})
export class CredentialsModule {
  static with(options: CredentialOptions = {}): DynamicModule {
    return {
      module: CredentialsModule,
      imports: [AgentsModule, DiscoveryModule, ServersModule],
      controllers: [CredentialsController, ConnectionsController, NodeTokensController, ServerTlsController],
      providers: [
        NodesRepository,
        NodeGuard,
        { provide: CREDENTIAL_OPTIONS, useValue: options },
        CredentialHolders,
        CredentialMaker,
        CredentialVault,
        CredentialsService,
        ServerTlsService,
        ...inBackground(CredentialResealer, 'credentials'),
        ConnectionWays,
        ConnectionsService,
        OauthOutlet,
      ],
    };
  }
}
