import { setTimeout as pause } from 'node:timers/promises';

/** Asks until it is so; who cannot answer now is asked again. Throws when it is not so in time. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>, timeoutMs = 60_000): Promise<void> {
  const end = performance.now() + timeoutMs;
  let why: unknown;
  const ask = async (): Promise<boolean> => {
    try {
      return await isSo();
    } catch (error) {
      why = error;
      return false;
    }
  };
  while (!(await ask())) {
    if (performance.now() > end) throw new Error(`Still not so after ${timeoutMs} ms: ${what}`, { cause: why });
    await pause(50);
  }
}
