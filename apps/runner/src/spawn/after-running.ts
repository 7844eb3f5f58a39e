import type { Child } from './child.js';

/** Calls back when a child has had so long to run: what it had to rest meanwhile does not count. Gives what forgets that. */
export function afterRunning(child: Pick<Child, 'restedMs'>, ms: number, then: () => void): () => void {
  let countedMs = child.restedMs;
  let timer = setTimeout(due, ms);
  function due(): void {
    const leftMs = child.restedMs - countedMs;
    if (leftMs <= 0) return then();
    countedMs += leftMs;
    timer = setTimeout(due, leftMs);
  }
  return () => clearTimeout(timer);
}
