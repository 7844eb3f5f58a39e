import { memoryMiB } from './process-tree.mjs';

const EVERY_MS = 250;

/**
 * Watches a node by its metrics and its memory until `stop` is called, which gives the most memory it had, how often it gave a server up, and when it
 * did so and took it back (seconds since the watch began, to a quarter of one).
 */
export function watchNode({ pid, metricsUrl }) {
  const since = performance.now();
  const changes = [];
  let [peakMiB, first, last] = [0, undefined, undefined];
  const look = async () => {
    peakMiB = Math.max(peakMiB, memoryMiB([pid]));
    const text = await fetch(metricsUrl).then(
      (answer) => answer.text(),
      () => '',
    );
    const read = (name) => Number(new RegExp(`^portcullis_${name}(?:\\{[^}]*\\})? (\\S+)`, 'm').exec(text)?.[1]);
    const seen = { suspended: read('upstreams_suspended'), suspensions: read('upstream_suspensions_total') };
    if (Number.isNaN(seen.suspended)) return;
    const wasOpen = (last?.suspended ?? 0) > 0;
    if (wasOpen !== seen.suspended > 0) changes.push(`${wasOpen ? 'healed' : 'opened'} ${((performance.now() - since) / 1000).toFixed(1)}`);
    first ??= seen;
    last = seen;
  };
  let looking = Promise.resolve();
  const timer = setInterval(() => (looking = looking.then(look)), EVERY_MS);
  const stop = async () => {
    clearInterval(timer);
    await looking;
    await look();
    return { peakMiB, suspensions: (last?.suspensions ?? 0) - (first?.suspensions ?? 0), changes };
  };
  return { stop };
}
