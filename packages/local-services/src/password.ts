import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';

/** The password kept in a file that only its owner reads; made at first use. Safe in a URL as it is. */
export async function keptPassword(file: string): Promise<string> {
  try {
    await writeFile(file, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const password = (await readFile(file, 'utf8')).trim();
  if (!password) throw new Error(`${file} is empty: it held the password of this service. Remove the folder it lies in to begin anew.`);
  return password;
}
