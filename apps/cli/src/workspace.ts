import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Root of the checkout this CLI runs from. */
export const workspace = fileURLToPath(new URL('../../../', import.meta.url));

/** A file of the checkout. */
export const inWorkspace = (...parts: string[]): string => join(workspace, ...parts);

/** Where the local stack keeps its data unless told otherwise. */
export const defaultDataDirectory = inWorkspace('.portcullis');
