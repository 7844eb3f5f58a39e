import { cpuSeconds } from '../process-tree.mjs';
import { median, scrape, served } from './scrape.mjs';

/** What one change costs, as medians over `count` of each kind: the publisher's round, the nodes' work, bytes, and the time until all nodes serve it. */
export async function measureChanges({ stack, health, changes, count }) {
  const rows = {};
  for (const [kind, change] of Object.entries(changes)) {
    const runs = [];
    for (let round = 0; round < count + 2; round += 1) runs.push(await measureOne({ stack, health }, () => change(round)));
    const warm = runs.slice(2);
    rows[kind] = Object.fromEntries(Object.keys(warm[0]).map((name) => [name, median(warm.map((run) => run[name]))]));
    rows[kind].stallMaxMs = Math.max(...warm.map(({ stallMs }) => stallMs));
  }
  return rows;
}

async function measureOne({ stack, health }, change) {
  const before = await Promise.all([health.controlPlane, ...health.nodes].map(scrape));
  const cpuBefore = cpuSeconds([stack.pids['control-plane']]);
  const startedAt = performance.now();
  const { revision } = await change();
  await Promise.all(health.nodes.map((url) => served(url, revision)));
  const everywhereMs = performance.now() - startedAt;
  const after = await Promise.all([health.controlPlane, ...health.nodes].map(scrape));
  const grown = (at, name) => after[at][name] - before[at][name];
  const ofNodes = (name) => median(health.nodes.map((_, at) => grown(at + 1, name)));
  return {
    publishMs: (1000 * grown(0, 'portcullis_publish_seconds_sum')) / Math.max(1, grown(0, 'portcullis_publish_seconds_count')),
    controlPlaneCpuMs: 1000 * (cpuSeconds([stack.pids['control-plane']]) - cpuBefore),
    applyMs: 1000 * ofNodes('portcullis_policy_applying_seconds'),
    bytes: ofNodes('portcullis_policy_fetched_bytes'),
    everywhereMs,
    stallMs: Math.max(...health.nodes.map((_, at) => stallOf(after[at + 1]))),
  };
}

/** The event loop's longest delay since the last scrape, in milliseconds; its own resolution is taken off. */
export function stallOf(metrics) {
  return Math.max(0, 1000 * metrics.nodejs_eventloop_lag_max_seconds - 10);
}
