import { Module, Global, type DynamicModule } from '@nestjs/common';
import { FirstOperator, tokenOutlet } from './first-operator.js';
import { OperatorTokens } from './operator-tokens.js';

@Global()
@Module({})
export class OperatorsModule {
  /** The first operator's token goes to this file, or to standard output. */
  static with(bootstrapTokenFile: string | undefined): DynamicModule {
    return {
      module: OperatorsModule,
      providers: [OperatorTokens, FirstOperator, { provide: 'TokenOutlet', useValue: tokenOutlet(bootstrapTokenFile) }],
      exports: [OperatorTokens],
    };
  }
}
