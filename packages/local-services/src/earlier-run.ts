import { readFile, readlink, realpath, rm } from 'node:fs/promises';
import { LocalServiceError } from './local-service.js';
import { runProgram } from './run-program.js';

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

const nameOf = (pid: number): Promise<string> =>
  process.platform === 'linux'
    ? readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')
    : runProgram({ command: 'ps', args: ['-o', 'comm=', '-p', String(pid)] }).catch(() => '');

/** Both services make their data directory their working directory, which tells ours from a stranger that got the same pid. */
async function serves(pid: number, directory: string, names: RegExp): Promise<boolean> {
  if (!isAlive(pid) || !names.test(await nameOf(pid))) return false;
  if (process.platform !== 'linux') return true;
  try {
    return (await readlink(`/proc/${pid}/cwd`)) === (await realpath(directory));
  } catch (error) {
    // Another user's process does not show it, and counts as ours to be safe; a dead one that nobody has collected yet has none.
    return (error as NodeJS.ErrnoException).code === 'EACCES';
  }
}

/**
 * Clears what a dead earlier run left behind. Refuses with `already_running` when the process named in the pid file is alive and serves this
 * directory: two servers on one directory would ruin it.
 */
export async function clearEarlierRun(run: { name: string; pidFile: string; directory: string; processNames: RegExp }): Promise<void> {
  const text = await readFile(run.pidFile, 'utf8').catch(() => '');
  const pid = Number.parseInt(text, 10);
  if (pid > 0 && (await serves(pid, run.directory, run.processNames)))
    throw new LocalServiceError(
      'already_running',
      `${run.name} of an earlier run still serves ${run.directory} (pid ${pid}). Stop that run, or end the process with "kill -INT ${pid}", and start again; or use another data directory.`,
      { pid },
    );
  await rm(run.pidFile, { force: true });
}
