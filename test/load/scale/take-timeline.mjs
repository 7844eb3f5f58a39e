import { scrape } from './scrape.mjs';

const PARTS = ['waiting', 'lock', 'commit', 'distribute'];

/** Does the work; gives its result, and where the time of publishing and applying went meanwhile: mean milliseconds of a round and of an application. */
export async function takeTimeline(health, work) {
  const look = () => Promise.all([health.controlPlane, ...health.nodes].map(scrape));
  const before = await look();
  const result = await work();
  const after = await look();
  const mean = (at, sum, count) => (1000 * (after[at][sum] - before[at][sum])) / Math.max(1, after[at][count] - before[at][count]);
  const parts = PARTS.map((part) => {
    const name = (what) => `portcullis_publish_part_seconds_${what}{part="${part}"}`;
    return [part, mean(0, name('sum'), name('count'))];
  });
  const applying = health.nodes.map((_, at) => mean(at + 1, 'portcullis_policy_applying_seconds', 'portcullis_policy_applied'));
  const apply = applying.reduce((sum, ms) => sum + ms, 0) / applying.length;
  return { result, timeline: Object.fromEntries([...parts, ['apply', apply]]) };
}
