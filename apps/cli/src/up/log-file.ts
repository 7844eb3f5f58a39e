import { closeSync, openSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { plainText } from '../plain-text.js';

const linesMax = 20;

/** Puts the log of the run before aside (`.1`) and begins an empty one. */
export async function freshLog(file: string): Promise<void> {
  await rename(file, `${file}.1`).catch(() => undefined);
  closeSync(openSync(file, 'w', 0o600));
}

/** The last lines of a log, for a person who has to find out what went wrong. */
export async function endOfLog(file: string, bytesMax = 8_000): Promise<string> {
  try {
    const handle = await open(file, 'r');
    try {
      const { size } = await handle.stat();
      const length = Math.min(size, bytesMax);
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, size - length);
      const text = buffer.toString('utf8', 0, bytesRead).trim();
      const whole = size > bytesMax ? text.slice(text.indexOf('\n') + 1) : text;
      return whole === '' ? '(the log is empty)' : whole.split('\n').slice(-linesMax).map(readableLine).join('\n');
    } finally {
      await handle.close();
    }
  } catch {
    return '(no log)';
  }
}

const messages = (error: unknown, depth = 0): string[] => {
  if (typeof error !== 'object' || error === null || depth > 3) return [];
  const { message, cause } = error as { message?: unknown; cause?: unknown };
  return [...(typeof message === 'string' ? [message] : []), ...messages(cause, depth + 1)];
};

/** A JSON line of our logger in words, without stacks, which the file keeps; every other line as it is. */
export function readableLine(line: string): string {
  let entry: unknown;
  try {
    entry = JSON.parse(line);
  } catch {
    return line;
  }
  if (typeof entry !== 'object' || entry === null || !('level' in entry) || !('msg' in entry)) return line;
  const { level, msg, time, err, ...rest } = entry as Record<string, unknown>;
  const said = [String(msg), ...new Set(messages(err))].join(': ');
  const context = Object.entries(rest).filter(([name]) => name !== 'process' && name !== 'pid' && name !== 'faults');
  // Decoded, it may hold anything that somebody sent.
  return plainText(`${String(time)} ${String(level)} ${said}${context.length === 0 ? '' : ` ${JSON.stringify(Object.fromEntries(context))}`}`, 1_000);
}
