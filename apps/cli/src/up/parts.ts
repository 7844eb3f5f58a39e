import type { Kept } from './kept.js';

/** In the order in which they end: whoever is served first, what serves it after. */
const phases = ['nodes', 'runners', 'demo', 'workers', 'control-plane', 'services'] as const;
export type Phase = (typeof phases)[number];

/** Everything of a stack that runs, and how it ends. */
export class Parts {
  readonly #parts: { readonly phase: Phase; readonly kept: Kept }[] = [];

  add<T extends Kept>(phase: Phase, kept: T): T {
    this.#parts.push({ phase, kept });
    return kept;
  }

  pids(): Record<string, number> {
    return Object.fromEntries(this.#parts.flatMap(({ kept }) => (kept.pid === undefined ? [] : [[kept.name, kept.pid]])));
  }

  /** Ends all, phase by phase, each even if another fails. Rejects with the first failure. */
  async stop(): Promise<void> {
    const failures: unknown[] = [];
    for (const phase of phases) {
      const results = await Promise.allSettled(this.#parts.filter((part) => part.phase === phase).map(({ kept }) => kept.stop()));
      for (const result of results) if (result.status === 'rejected') failures.push(result.reason);
    }
    if (failures.length > 0) throw failures[0];
  }

  kill(): void {
    for (const { kept } of this.#parts) kept.kill();
  }
}
