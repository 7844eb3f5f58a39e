import { Module, Global, type DynamicModule } from '@nestjs/common';
import { MachineDoor } from '../http/machine-door.js';
import { FailedSignIns } from './failed-sign-ins.js';
import { FirstOperator, tokenOutlet } from './first-operator.js';
import { OIDC_OPTIONS, OidcOperators, type OidcOptions } from './oidc-operators.js';
import { OperatorTokens } from './operator-tokens.js';
import { OperatorsController } from './operators.controller.js';
import { OperatorsService } from './operators.service.js';

@Global()
@Module({})
export class OperatorsModule {
  /** The first operator's token goes to this file, or to standard output; others may come from an OpenID provider. */
  static with(bootstrapTokenFile: string | undefined, oidc: OidcOptions | undefined): DynamicModule {
    return {
      module: OperatorsModule,
      controllers: [OperatorsController],
      providers: [
        OperatorTokens,
        OperatorsService,
        OidcOperators,
        FailedSignIns,
        MachineDoor,
        FirstOperator,
        { provide: OIDC_OPTIONS, useValue: oidc },
        { provide: 'TokenOutlet', useValue: tokenOutlet(bootstrapTokenFile) },
      ],
      exports: [OperatorTokens, FailedSignIns, MachineDoor],
    };
  }
}
