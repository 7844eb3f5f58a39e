import { setTimeout as pause } from 'node:timers/promises';

const deadlineMs = 30_000;
const pollMs = 10;

/**
 * Asks again and again until it is so, and gives how many milliseconds that took from `since` (`performance.now()`). Throws when it is not so
 * within half a minute, which is generous: the time itself is for a person to read.
 */
export async function whenSo(what: string, since: number, isSo: () => Promise<boolean>): Promise<number> {
  while (!(await isSo())) {
    if (performance.now() - since > deadlineMs) throw new Error(`Still not so after ${deadlineMs} ms: ${what}`);
    await pause(pollMs);
  }
  return Math.round(performance.now() - since);
}
