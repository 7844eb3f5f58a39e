import { closeSync, openSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';

/** Puts the log of the run before aside (`.1`) and begins an empty one. */
export async function freshLog(file: string): Promise<void> {
  await rename(file, `${file}.1`).catch(() => undefined);
  closeSync(openSync(file, 'w', 0o600));
}

/** The last lines of a log, for a person who has to find out what went wrong. */
export async function endOfLog(file: string, bytesMax = 3_000): Promise<string> {
  try {
    const handle = await open(file, 'r');
    try {
      const { size } = await handle.stat();
      const length = Math.min(size, bytesMax);
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, size - length);
      const text = buffer.toString('utf8', 0, bytesRead).trim();
      const whole = size > bytesMax ? text.slice(text.indexOf('\n') + 1) : text;
      return whole === '' ? '(the log is empty)' : whole;
    } finally {
      await handle.close();
    }
  } catch {
    return '(no log)';
  }
}
