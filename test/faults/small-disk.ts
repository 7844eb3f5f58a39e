import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Puts a small disk of its own at this folder, and takes it away afterwards with all that is on it. Only root can mount one. */
export async function onSmallDisk(directory: string, megabytes: number, use: () => Promise<void>): Promise<void> {
  await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=777`, 'tmpfs', directory]);
  try {
    await use();
  } finally {
    await run('umount', ['--lazy', directory]);
  }
}

/** Writes until nothing more fits, and gives the file. */
export async function fillDisk(directory: string): Promise<string> {
  const file = join(directory, 'in-the-way');
  await writeFile(file, Buffer.alloc(64 * 1024 * 1024)).catch(() => undefined);
  return file;
}
