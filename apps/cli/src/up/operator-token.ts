import { ApiError, createApiClient } from '@portcullis/api-client';
import { readFile } from 'node:fs/promises';
import { CliError } from '../cli-error.js';
import { bootstrapTokenFile } from './processes.js';

/** Where the token of this stack's operator may be found. */
export interface TokenSources {
  readonly controlPlaneUrl: string;
  readonly dataDirectory: string;
  readonly kept: string | undefined;
  readonly given: string | undefined;
}

/** The first token the control plane accepts: just left by its first start, kept from an earlier run, or given. Refuses when none is. */
export async function findOperatorToken({ controlPlaneUrl, dataDirectory, kept, given }: TokenSources): Promise<string> {
  const left = await readFile(bootstrapTokenFile(dataDirectory), 'utf8').then(
    (text) => text.trim(),
    () => undefined,
  );
  for (const token of [left, kept, given]) if (token && (await isAccepted(controlPlaneUrl, token))) return token;
  throw new CliError(
    `The database already has operators, and ${dataDirectory} holds no token that the control plane accepts. Set PORTCULLIS_TOKEN to an operator's token, or use the data directory (or a new database) that belongs together.`,
  );
}

async function isAccepted(baseUrl: string, token: string): Promise<boolean> {
  try {
    await createApiClient({ baseUrl, token }).settings.read();
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return false;
    throw error;
  }
}
