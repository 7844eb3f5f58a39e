import { Global, Module, type DynamicModule } from '@nestjs/common';
import { createMetrics, type Metrics } from '@portcullis/boot';

/** Token of the process's metrics. */
export const METRICS = 'Metrics';

@Global()
@Module({})
export class MetricsModule {
  /** The process may have begun to count before the application exists. */
  static of(metrics: Metrics = createMetrics({ app: 'control-plane' })): DynamicModule {
    return { module: MetricsModule, providers: [{ provide: METRICS, useValue: metrics }], exports: [METRICS] };
  }
}
