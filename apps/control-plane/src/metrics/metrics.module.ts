import { Global, Module } from '@nestjs/common';
import { createMetrics } from '@portcullis/boot';

/** Token of the process's metrics. */
export const METRICS = 'Metrics';

@Global()
@Module({ providers: [{ provide: METRICS, useFactory: () => createMetrics({ app: 'control-plane' }) }], exports: [METRICS] })
export class MetricsModule {}
