import type { ProgressLog } from './local-service.js';

// Well under the two seconds after which a silent program looks stuck.
const SILENCE_MAX_MS = 1_000;

/** Runs one step; if it takes longer than a moment, says what it is doing. */
export async function step<T>(log: ProgressLog | undefined, what: string, work: () => Promise<T>): Promise<T> {
  const timer = setTimeout(() => log?.(`${what} …`), SILENCE_MAX_MS);
  try {
    return await work();
  } finally {
    clearTimeout(timer);
  }
}
