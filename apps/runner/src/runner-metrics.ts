import { createMetrics, type Metrics } from '@portcullis/boot';
import type { Host } from './supervise/host.js';

/** What a runner counts. */
export interface RunnerMetrics {
  readonly metrics: Metrics;
  readonly onCall: () => void;
}

const STATES = ['idle', 'installing', 'starting', 'running', 'backing-off', 'quarantined', 'failed'] as const;

/** Metrics of a runner; what its servers do is read when somebody asks. */
export function createRunnerMetrics(host: () => Host): RunnerMetrics {
  const metrics = createMetrics({ app: 'runner' });
  const messages = metrics.counter({ name: 'runner_messages_total', help: 'Messages of nodes to servers of this runner' });
  const servers = metrics.gauge({
    name: 'runner_servers',
    help: 'Servers of this runner by state',
    labelNames: ['state'],
    collect() {
      const statuses = host().statuses();
      for (const state of STATES) this.set({ state }, statuses.filter((one) => one.state === state).length);
      children.set(statuses.reduce((sum, { instances }) => sum + instances, 0));
      restarts.set(statuses.reduce((sum, one) => sum + one.restarts, 0));
      throttled.set(statuses.filter((one) => one.throttled === true).length);
      junk.set(statuses.reduce((sum, { junkLines }) => sum + junkLines, 0));
    },
  });
  const children = metrics.gauge({ name: 'runner_children', help: 'Children that run' });
  const restarts = metrics.gauge({ name: 'runner_restarts', help: 'Children started after one had failed, of the servers that are here now' });
  const junk = metrics.gauge({ name: 'runner_junk_lines', help: 'Lines that were no messages, of the servers that are here now' });
  const throttled = metrics.gauge({
    name: 'runner_throttled_servers',
    help: 'Servers that take more processor time than their profile allows, and are slowed',
  });
  void servers;
  return { metrics, onCall: () => messages.inc() };
}
