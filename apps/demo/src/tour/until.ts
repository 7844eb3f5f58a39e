import { setTimeout as pause } from 'node:timers/promises';

/** Asks until the answer is as wanted, at most for so long, and gives the last answer. */
export async function until<T>(get: () => Promise<T>, wanted: (answer: T) => boolean, withinMs: number): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const answer = await get();
    if (wanted(answer) || performance.now() > deadline) return answer;
    await pause(20);
  }
}
