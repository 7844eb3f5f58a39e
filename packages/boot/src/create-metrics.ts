import {
  collectDefaultMetrics,
  Counter,
  Gauge,
  Histogram,
  Registry,
  type CounterConfiguration,
  type GaugeConfiguration,
  type HistogramConfiguration,
} from 'prom-client';

/** What a process counts, ready to be scraped. Names are given without the prefix `portcullis_`. Labels must come from a fixed set, never from foreign text. */
export interface Metrics {
  counter<Label extends string>(options: MetricOptions<CounterConfiguration<Label>>): Counter<Label>;
  gauge<Label extends string>(options: MetricOptions<GaugeConfiguration<Label>>): Gauge<Label>;
  histogram<Label extends string>(options: MetricOptions<HistogramConfiguration<Label>>): Histogram<Label>;
  /** Media type of what `render` gives. */
  contentType: string;
  /** Everything, in the Prometheus text format. */
  render(): Promise<string>;
}

/** prom-client's options, less the registry, which is ours. */
export type MetricOptions<Configuration> = Omit<Configuration, 'registers'>;

/** Metrics of one process, its memory, event loop and garbage collection included; every series carries the label `app`. */
export function createMetrics({ app }: { app: string }): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ app });
  collectDefaultMetrics({ register: registry });
  const ours = <Options extends { name: string }>(options: Options) => ({ ...options, name: `portcullis_${options.name}`, registers: [registry] });
  return {
    counter: (options) => new Counter(ours(options)),
    gauge: (options) => new Gauge(ours(options)),
    histogram: (options) => new Histogram(ours(options)),
    contentType: registry.contentType,
    render: () => registry.metrics(),
  };
}
