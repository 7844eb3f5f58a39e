// Given to a node as `--import`: writes down where its event loop did not come round in time, for bench-scale. It tells its own work from waiting:
// a stall is what the clock says; what of it the thread itself worked is its CPU; the rest it spent without a core, or waiting for helper threads.
import { appendFileSync } from 'node:fs';
import { PerformanceObserver } from 'node:perf_hooks';

const LOOK_MS = 5;
const STALL_MS_MIN = 5;
const file = new URL(import.meta.url).searchParams.get('file');

if (file !== null && process.argv[1]?.endsWith('gateway/dist/main.js')) {
  const write = (line) => appendFileSync(file, `${JSON.stringify({ pid: process.pid, at: Date.now(), ...line })}\n`);
  let lookedAt = performance.now();
  let cpu = process.threadCpuUsage();
  const look = () => {
    const now = performance.now();
    const used = process.threadCpuUsage(cpu);
    const [wallMs, cpuMs] = [now - lookedAt - LOOK_MS, (used.user + used.system) / 1000];
    if (wallMs >= STALL_MS_MIN) write({ wallMs, cpuMs: Math.min(cpuMs, wallMs + LOOK_MS) });
    lookedAt = performance.now();
    cpu = process.threadCpuUsage();
  };
  setInterval(look, LOOK_MS).unref();
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) if (duration >= STALL_MS_MIN) write({ collectedMs: duration });
  }).observe({ entryTypes: ['gc'] });
}
