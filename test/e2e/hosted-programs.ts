import { readdirSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, realpath, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ApiClient } from '@portcullis/api-client';
import { expect, vi } from 'vitest';
import { freshSlug } from './demo-stack.js';

type Profile = Parameters<ApiClient['profiles']['propose']>[1]['profile'];
type Rest = Omit<Profile, 'program'>;

const require = createRequire(import.meta.url);
export const SOON = { timeout: 30_000, interval: 100 };

/** One of npm's official servers, as a program that Node runs. */
export async function officialProgram(name: string, { args = [], ...rest }: Rest = {}): Promise<Profile> {
  const file = await realpath(join(dirname(require.resolve(`@modelcontextprotocol/server-${name}/package.json`)), 'dist/index.js'));
  return { program: { kind: 'executable', path: await realpath(process.execPath) }, args: [file, ...args], ...rest };
}

/** The runner's own test server, whose tools do what a bad one does. */
export async function testProgram({ args = ['normal'], ...rest }: Rest = {}): Promise<Profile> {
  const file = fileURLToPath(new URL('../../apps/runner/src/testing/stdio-server.ts', import.meta.url));
  return { program: { kind: 'executable', path: await realpath(process.execPath) }, args: [await realpath(file), ...args], ...rest };
}

/** Registers a program by REST, approves it, and grants all of it to the agent. Gives its slug when what it offers is approved. */
export async function hostProgram(api: ApiClient, { word, agent }: { word: string; agent: string }, profile: Profile): Promise<string> {
  const slug = freshSlug(word);
  await api.servers.create({ slug, transport: 'stdio', profile, approve: 'all' });
  const { hash } = await api.profiles.read(slug, 1);
  await api.profiles.approve(slug, 1, { hash, reason: 'looked through' });
  await api.grants.create({ agent, server: slug, names: ['*'] });
  await vi.waitFor(async () => expect((await api.servers.read(slug)).definitions.approved).toBeGreaterThan(0), SOON);
  return slug;
}

/** A folder that programs with users of their own can write. */
export async function openFolder(scratch: string[]): Promise<string> {
  const made = await realpath(await mkdtemp(join(tmpdir(), 'portcullis-programs-')));
  scratch.push(made);
  await chmod(made, 0o777);
  return made;
}

export const removeFolders = (scratch: readonly string[]): Promise<unknown> =>
  Promise.all(scratch.map((folder) => rm(folder, { recursive: true, force: true })));

/** Processes of Node that have this among their arguments. */
export function programsWith(argument: string): number[] {
  return readdirSync('/proc').flatMap((name) => {
    try {
      const [program, ...args] = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0');
      return program?.endsWith('/node') && args.includes(argument) ? [Number(name)] : [];
    } catch {
      return []; // no process, or one that has ended
    }
  });
}

/** The text of a tool's result. */
export const textOf = (result: unknown): string => (result as { content: [{ text: string }] }).content[0].text;
