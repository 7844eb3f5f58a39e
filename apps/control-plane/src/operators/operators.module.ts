import { Module, Global, type DynamicModule } from '@nestjs/common';
import { FirstOperator, tokenOutlet } from './first-operator.js';
import { OperatorTokens } from './operator-tokens.js';
import { OperatorsController } from './operators.controller.js';
import { OperatorsService } from './operators.service.js';

@Global()
@Module({})
export class OperatorsModule {
  /** The first operator's token goes to this file, or to standard output. */
  static with(bootstrapTokenFile: string | undefined): DynamicModule {
    return {
      module: OperatorsModule,
      controllers: [OperatorsController],
      providers: [OperatorTokens, OperatorsService, FirstOperator, { provide: 'TokenOutlet', useValue: tokenOutlet(bootstrapTokenFile) }],
      exports: [OperatorTokens],
    };
  }
}
