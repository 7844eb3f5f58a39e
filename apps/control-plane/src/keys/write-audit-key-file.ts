import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Leaves the keys of audit workers where they read them: whole or not at all, and for nobody else. Throws, naming the file, where that cannot be. */
export async function writeAuditKeyFile(file: string, keys: string): Promise<void> {
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(draft, keys, { mode: 0o600, flag: 'wx', flush: true });
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw new Error(`The key of audit workers cannot be left at ${file}`, { cause: error });
  }
}
