/** Receives one line for the person who waits. */
export type Say = (line: string) => void;

// Well under the two seconds after which a silent program looks stuck.
const silenceMaxMs = 1_000;
const reminderMs = 15_000;

/** Runs one step. If it takes longer than a moment it says what it does, now and then that it still does, and when it is done. */
export async function step<T>(say: Say, what: string, work: () => Promise<T>): Promise<T> {
  const begun = performance.now();
  const seconds = (): string => `${((performance.now() - begun) / 1000).toFixed(1)} s`;
  let reminder: NodeJS.Timeout | undefined;
  const first = setTimeout(() => {
    say(`${what} …`);
    reminder = setInterval(() => say(`${what}: still at it after ${seconds()}`), reminderMs);
  }, silenceMaxMs);
  try {
    const result = await work();
    if (reminder !== undefined) say(`${what}: done in ${seconds()}`);
    return result;
  } finally {
    clearTimeout(first);
    clearInterval(reminder);
  }
}
