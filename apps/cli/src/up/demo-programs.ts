import { createApiClient, type ApiClient } from '@portcullis/api-client';
import type { LaunchProfile } from '@portcullis/contracts/runner/launch-profile';
import { chmod, mkdir, realpath, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { orMissing } from '../or-missing.js';
import type { Tokens } from '../tokens-file.js';
import { inWorkspace } from '../workspace.js';

type Profile = z.input<typeof LaunchProfile>;
const reason = 'the demo';

/** Servers of the demo that speak over stdio. */
export const demoPrograms = ['files', 'memory'] as const;
export type DemoProgram = (typeof demoPrograms)[number];

/** Registers npm's official filesystem and memory servers, which speak over stdio, as far as they are not. Nobody waits for them: a runner starts them. */
export async function registerPrograms({ controlPlaneUrl: baseUrl, operatorToken: token }: Tokens, dataDirectory: string): Promise<void> {
  const api = createApiClient({ baseUrl, token });
  const [files, memory] = [await openFolder(dataDirectory, 'demo-files'), await openFolder(dataDirectory, 'demo-memory')];
  await writeFile(join(files, 'welcome.txt'), 'This file is read by a server that a runner started.\n');
  await register(api, 'files', await program('filesystem', [files], {}));
  await register(api, 'memory', await program('memory', [], { MEMORY_FILE_PATH: { value: join(memory, 'memory.jsonl') } }));
}

async function openFolder(dataDirectory: string, name: string): Promise<string> {
  const folder = join(dataDirectory, name);
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o777); // a runner that may gives each server a user of its own
  return folder;
}

async function program(name: string, args: readonly string[], environment: NonNullable<Profile['environment']>): Promise<Profile> {
  const file = await realpath(inWorkspace('node_modules', '@modelcontextprotocol', `server-${name}`, 'dist', 'index.js'));
  return { program: { kind: 'executable', path: await realpath(process.execPath) }, args: [file, ...args], environment };
}

async function register(api: ApiClient, slug: DemoProgram, profile: Profile): Promise<void> {
  if ((await orMissing(api.servers.read(slug))) !== undefined) return;
  await api.servers.create({ slug, transport: 'stdio', profile, approve: 'all', tags: ['demo'], reason });
  const { hash } = await api.profiles.read(slug, 1);
  await api.profiles.approve(slug, 1, { hash, reason });
}
