import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';

const Tokens = z.object({
  controlPlaneUrl: z.url(),
  gatewayUrls: z.array(z.url()).min(1),
  operatorToken: z.string(),
  agents: z.record(z.string(), z.string()),
});

/** Addresses and tokens of the running stack, as `portcullis up` leaves them in its data directory. */
export interface Stack extends z.infer<typeof Tokens> {
  readonly dataDirectory: string;
}

/** Reads where the running demo is. Refuses with what to do when there is none. */
export async function readStack(dataDirectory: string): Promise<Stack> {
  const file = join(dataDirectory, 'tokens.json');
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new Error(`No demo found: ${file} cannot be read. Start one with "npm start", or name its data directory with --data.`, { cause });
  });
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (cause) {
    throw new Error(`${file} is not JSON. Start the demo again with "npm start".`, { cause });
  }
  const tokens = Tokens.safeParse(content);
  if (!tokens.success) throw new Error(`${file} lacks what the tour needs: ${tokens.error.issues.map(({ path }) => path.join('.')).join(', ')}`);
  return { ...tokens.data, dataDirectory: resolve(dataDirectory) };
}

/** `fetch` with an error that names the address nobody answers at. */
export async function reach(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { ...init, signal: AbortSignal.timeout(30_000) });
  } catch (cause) {
    throw new Error(`Nothing answers at ${url}. Is the demo running ("npm start")?`, { cause });
  }
}
