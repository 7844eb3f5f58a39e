import { setTimeout as pause } from 'node:timers/promises';

const LOOK_MS = 10;

/** The metrics at a health address, by name with labels (`app` left out). Scraping begins a new window of the event loop's delay. */
export async function scrape(healthUrl) {
  const text = await (await fetch(`${healthUrl}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    lines
      .map((line) =>
        line
          .replace(/(?<=[{,])app="[^"]*",?/, '')
          .replace(',}', '}')
          .replace('{}', '')
          .split(' '),
      )
      .map(([name, value]) => [name, Number(value)]),
  );
}

/** Waits until a node serves this revision or a later one; gives what it says of its policy. */
export async function served(healthUrl, revision, limitMs = 300_000) {
  const end = performance.now() + limitMs;
  for (;;) {
    const ready = await fetch(`${healthUrl}/readyz`).then(
      (answer) => answer.json(),
      () => undefined,
    );
    if (ready?.ready && ready.policy.revision >= revision) return ready.policy;
    if (performance.now() > end) throw new Error(`${healthUrl} does not serve revision ${revision}: ${JSON.stringify(ready)}`);
    await pause(LOOK_MS);
  }
}

export const median = (values) => percentile(values, 0.5);

export function percentile(values, share) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}
