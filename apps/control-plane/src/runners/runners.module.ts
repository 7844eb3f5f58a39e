import { Module, type DynamicModule } from '@nestjs/common';
import { inBackground } from '../background/in-background.js';
import { CredentialVault } from '../credentials/credential-vault.js';
import { DiscoveryModule } from '../discovery/discovery.module.js';
import { FIXED_JOIN_TOKENS, JoinTokens } from '../nodes/join-tokens.js';
import { RunnerDoorController } from './runner-door.controller.js';
import { RunnerGuard } from './runner.guard.js';
import { RunnerHeartbeats } from './runner-heartbeats.js';
import { RunnerPlacer } from './runner-placer.js';
import { RunnerTokenResealer } from './runner-token-resealer.js';
import { RunnersController } from './runners.controller.js';
import { RunnersService } from './runners.service.js';

@Module({})
export class RunnersModule {
  /** `joinToken` lets runners enrol beside the tokens that operators make, for installations that are set up by a file. */
  static joinedWith(joinToken: string | undefined): DynamicModule {
    return {
      module: RunnersModule,
      imports: [DiscoveryModule],
      controllers: [RunnersController, RunnerDoorController],
      providers: [
        RunnersService,
        RunnerHeartbeats,
        ...inBackground(RunnerPlacer, 'runners'),
        ...inBackground(RunnerTokenResealer, 'runners'),
        RunnerGuard,
        CredentialVault,
        JoinTokens,
        { provide: FIXED_JOIN_TOKENS, useValue: { runner: joinToken } },
      ],
    };
  }
}
