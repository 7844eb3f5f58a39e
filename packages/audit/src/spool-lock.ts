import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Another live process writes to this spool. */
export class SpoolInUse extends Error {
  override readonly name = 'SpoolInUse';
}

/** Takes the spool's folder for this process. Throws `SpoolInUse` while another live process has it; gives the release. */
export function lockSpool(directory: string): () => void {
  const path = join(directory, 'lock');
  const own = identityOf(process.pid);
  try {
    writeFileSync(path, own, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const holder = readFileSync(path, 'utf8');
    const pid = Number.parseInt(holder, 10);
    if (holder !== own && identityOf(pid) === holder) {
      throw new SpoolInUse(`The audit spool ${directory} is in use by process ${pid}: give each node a data directory of its own`);
    }
    writeFileSync(path, own, { mode: 0o600 });
  }
  return () => rmSync(path, { force: true });
}

/** A pid alone may be somebody else's by now: with its start time it is the same process or none. */
function identityOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const startTime = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return `${pid} ${startTime}`;
  } catch {
    return isAlive(pid) ? `${pid} ?` : `${pid} gone`;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
