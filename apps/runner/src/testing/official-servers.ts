import { createRequire } from 'node:module';
import { readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ProfileInput } from './test-runner.js';

const require = createRequire(import.meta.url);

/** One of npm's official servers, as a program that Node runs. */
export function officialServer(name: string, args: readonly string[] = [], more: Omit<ProfileInput, 'program' | 'args'> = {}): ProfileInput {
  const folder = folderOf(`@modelcontextprotocol/server-${name}`);
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { bin: Record<string, string> };
  const file = realpathSync(join(folder, Object.values(bin)[0] ?? ''));
  return { program: { kind: 'executable', path: realpathSync(process.execPath) }, args: [file, ...args], ...more };
}

function folderOf(name: string): string {
  const found = (require.resolve.paths(name) ?? []).map((folder) => join(folder, name)).find(hasManifest);
  if (found === undefined) throw new Error(`${name} is not installed`);
  return dirname(realpathSync(join(found, 'package.json')));
}

function hasManifest(folder: string): boolean {
  try {
    readFileSync(join(folder, 'package.json'));
    return true;
  } catch {
    return false;
  }
}
