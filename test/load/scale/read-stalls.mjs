import { readFile } from 'node:fs/promises';

/** What processes need in their environment to write down their stalls in this file. `portcullis up` hands on no variable of our own, so the file is in the module's address. */
export const watchingStalls = (file) => ({
  NODE_OPTIONS:
    `${process.env.NODE_OPTIONS ?? ''} --import=${new URL(`watch-stalls.mjs?file=${encodeURIComponent(file)}`, import.meta.url).href}`.trim(),
});

/** The longest stall between two times: by the clock, of that the thread's own CPU, the most CPU in any stall, and the longest collection of garbage. */
export async function stallsBetween(file, from, to) {
  const text = await readFile(file, 'utf8').catch(() => '');
  const lines = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
    .filter(({ at }) => at >= from && at <= to);
  const stalls = lines.filter(({ wallMs }) => wallMs !== undefined);
  const longest = stalls.toSorted((a, b) => b.wallMs - a.wallMs)[0] ?? { wallMs: 0, cpuMs: 0 };
  const most = (values) => Math.max(0, ...values);
  return {
    wallMs: longest.wallMs,
    itsCpuMs: longest.cpuMs,
    cpuMs: most(stalls.map(({ cpuMs }) => cpuMs)),
    collectedMs: most(lines.map(({ collectedMs }) => collectedMs ?? 0)),
  };
}
