import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';

/** One process for as long as it lives: a pid alone may be somebody else's by now. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly started: string;
}

/** When this process began, in the system's own words; undefined once it is gone or only waits to be collected. */
async function startOf(pid: number): Promise<string | undefined> {
  if (process.platform === 'linux') {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    // The name stands in brackets and may contain anything; after it come the state, and 19 fields later the start time.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return stat === '' || fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  }
  return new Promise((resolve) => {
    execFile('ps', ['-o', 'lstart=', '-p', String(pid)], (error, stdout) => resolve(error ? undefined : stdout.trim() || undefined));
  });
}

export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  const started = await startOf(pid);
  return started === undefined ? undefined : { pid, started };
}

export const isRunning = async ({ pid, started }: ProcessIdentity): Promise<boolean> => (await startOf(pid)) === started;
