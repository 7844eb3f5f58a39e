import { chmod, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { CliError } from './cli-error.js';

const Tokens = z.object({
  controlPlaneUrl: z.url(),
  gatewayUrls: z.array(z.url()),
  operatorToken: z.string(),
  /** Keys of agents by slug. */
  agents: z.record(z.string(), z.string()).default({}),
});

/** Addresses and tokens of the local stack. */
export type Tokens = z.infer<typeof Tokens>;

export const tokensFileIn = (dataDirectory: string): string => join(dataDirectory, 'tokens.json');

/** The tokens kept in a data directory; undefined where there are none. Refuses a file that is not one. */
export async function readTokens(dataDirectory: string): Promise<Tokens | undefined> {
  const file = tokensFileIn(dataDirectory);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new CliError(`${file} cannot be read: ${(error as Error).message}`);
  }
  try {
    return Tokens.parse(JSON.parse(text));
  } catch {
    throw new CliError(`${file} is damaged. Restore it, or set PORTCULLIS_TOKEN to an operator's token and delete the file.`);
  }
}

/** Readable by its owner only, and never half-written. */
export async function writeTokens(dataDirectory: string, tokens: Tokens): Promise<void> {
  const file = tokensFileIn(dataDirectory);
  const draft = `${file}.${process.pid}`;
  try {
    await writeFile(draft, `${JSON.stringify(tokens, undefined, 2)}\n`, { mode: 0o600, flush: true });
    await chmod(draft, 0o600);
    await rename(draft, file);
  } finally {
    await rm(draft, { force: true });
  }
}
