import { cpuSeconds, memoryMiB } from './process-tree.mjs';

const CAUSES_MAX = 20;

/** Counts what happens between `begin` and `end`, and the CPU that named groups of processes (`{ name: pids }`) use meanwhile. */
export class Measurement {
  #isOpen = false;
  #latencies = new Float64Array(1 << 16);
  #good = 0;
  #failed = 0;
  #causes = new Map();

  constructor(watched) {
    this.watched = watched;
  }

  begin() {
    this.before = { groups: this.#cpu(), self: process.cpuUsage(), at: performance.now() };
    this.#isOpen = true;
  }

  good(ms) {
    if (!this.#isOpen) return;
    if (this.#good === this.#latencies.length) {
      const larger = new Float64Array(this.#latencies.length * 2);
      larger.set(this.#latencies);
      this.#latencies = larger;
    }
    this.#latencies[this.#good++] = ms;
  }

  failed(cause) {
    if (!this.#isOpen) return;
    this.#failed += 1;
    const name = this.#causes.has(cause) || this.#causes.size < CAUSES_MAX ? cause : 'other causes';
    this.#causes.set(name, (this.#causes.get(name) ?? 0) + 1);
  }

  /** Rates per second, latencies in ms, CPU in µs per call, memory in MiB. */
  end() {
    this.#isOpen = false;
    const seconds = (performance.now() - this.before.at) / 1000;
    const self = process.cpuUsage(this.before.self);
    const groups = this.#cpu();
    const perCall = (cpu) => (cpu * 1e6) / this.#good;
    const sorted = this.#latencies.subarray(0, this.#good).sort();
    const quantile = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
    const names = Object.keys(this.watched);
    return {
      callsPerSecond: this.#good / seconds,
      good: this.#good,
      failed: this.#failed,
      causes: Object.fromEntries(this.#causes),
      p50Ms: quantile(0.5),
      p99Ms: quantile(0.99),
      cpuUs: Object.fromEntries(names.map((name) => [name, perCall(groups[name] - this.before.groups[name])])),
      memoryMiB: Object.fromEntries(names.map((name) => [name, memoryMiB(this.watched[name])])),
      generatorCpuUs: perCall((self.user + self.system) / 1e6),
    };
  }

  #cpu() {
    return Object.fromEntries(Object.entries(this.watched).map(([name, pids]) => [name, cpuSeconds(pids)]));
  }
}
