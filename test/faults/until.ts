import { setTimeout as pause } from 'node:timers/promises';

/** Asks until it is so. Throws when it is not so in time. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>, timeoutMs = 60_000): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`Still not so after ${timeoutMs} ms: ${what}`);
    await pause(50);
  }
}
