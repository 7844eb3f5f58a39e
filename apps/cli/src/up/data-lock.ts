import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { CliError } from '../cli-error.js';
import { identify, isRunning } from './process-identity.js';

const Holder = z.object({ pid: z.number().int().positive(), started: z.string() });

/** Held by the one `up` that may use a data directory. */
export interface DataLock {
  release(): Promise<void>;
}

/** Refuses, naming the process, while another `up` uses the directory; takes over what a dead one left. */
export async function lockDataDirectory(dataDirectory: string): Promise<DataLock> {
  const file = join(dataDirectory, 'up.lock');
  const own = await identify(process.pid);
  if (own === undefined) throw new CliError('This process cannot find itself in the process table; is /proc mounted?');
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, JSON.stringify(own), { mode: 0o600 });
  try {
    for (;;) {
      // A link appears with its content or not at all, and never replaces another.
      if (await linked(draft, file)) return { release: () => rm(file, { force: true }) };
      await refuseLiving(file, dataDirectory);
      await rename(file, `${draft}.stale`).catch(() => undefined);
      await rm(`${draft}.stale`, { force: true });
    }
  } finally {
    await rm(draft, { force: true });
  }
}

const linked = (draft: string, file: string): Promise<boolean> =>
  link(draft, file).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return false;
      throw error;
    },
  );

async function refuseLiving(file: string, dataDirectory: string): Promise<void> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const holder = Holder.safeParse(parseJson(text));
  if (!holder.success || !(await isRunning(holder.data))) return;
  throw new CliError(
    `A stack already runs on ${dataDirectory} (pid ${holder.data.pid}). Use it, stop it with "kill ${holder.data.pid}", or choose another directory with --data and other ports with --port-base.`,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
