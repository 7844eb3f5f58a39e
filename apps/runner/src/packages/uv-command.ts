import { realpath, readdir } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { LaunchProgram } from '@portcullis/contracts/runner/launch-profile';
import { LaunchRefusal } from '../sandbox/check-executable.js';
import type { PackageCommand } from './package-command.js';

type UvPackage = Extract<LaunchProgram, { kind: 'uv' }>;

/** The command of a Python package that `uv` has installed: one of those it put into the package's own folder. */
export async function uvCommand(place: string, { name, command }: UvPackage): Promise<PackageCommand> {
  const folder = join(`${place}.home`, 'bin');
  const commands = await readdir(folder).catch(() => [] as string[]);
  const [only] = commands.length === 1 ? commands : [];
  const wanted = command ?? (commands.includes(name) ? name : only);
  const home = await realpath(`${place}.home`).catch(() => undefined);
  const file = wanted !== undefined && commands.includes(wanted) ? await realpath(join(folder, wanted)).catch(() => undefined) : undefined;
  if (file === undefined || home === undefined || !file.startsWith(home + sep)) {
    throw new LaunchRefusal(`${name} has no command ${command ?? name}; it has: ${commands.join(', ') || 'none'}`.slice(0, 300));
  }
  return { command: [file], path: folder };
}
