import { access, constants, mkdir } from 'node:fs/promises';
import { LocalServiceError } from './local-service.js';

/** Makes a service's directory, for its owner only, or finds it. Refuses with `not_permitted` when this user may not write there. */
export async function makeDirectory(name: string, directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await access(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    const message = `${name} cannot use ${directory}: this user may not write there, perhaps because another user (root?) started it before. Use another data directory, or give this one to the user who is to run it.`;
    throw new LocalServiceError('not_permitted', message, { cause });
  }
}
