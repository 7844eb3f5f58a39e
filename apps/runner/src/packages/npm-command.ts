import { readFile, realpath } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import type { LaunchProgram } from '@portcullis/contracts/runner/launch-profile';
import { isJsonObject, ownMember, type JsonObject } from '@portcullis/mcp';
import { LaunchRefusal } from '../sandbox/check-executable.js';
import type { PackageCommand } from './package-command.js';

type NpmPackage = Extract<LaunchProgram, { kind: 'npm' }>;

/** The command of an installed npm package: Node with the file that its manifest names, which has to be one of its own. */
export async function npmCommand(place: string, { name, version, command }: NpmPackage): Promise<PackageCommand> {
  const folder = join(place, 'node_modules', name);
  const manifest: unknown = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  if (!isJsonObject(manifest) || ownMember(manifest, 'name') !== name || ownMember(manifest, 'version') !== version) {
    throw new LaunchRefusal(`What is installed is not ${name} ${version}`);
  }
  const file = await realpath(join(folder, fileOf(manifest, { name, command }))).catch(() => undefined);
  const root = await realpath(folder);
  if (file === undefined || !file.startsWith(root + sep)) throw new LaunchRefusal(`The command of ${name} is none of its files`);
  const path = [join(place, 'node_modules', '.bin'), dirname(process.execPath)].join(':');
  return { command: [process.execPath, file], path };
}

function fileOf(manifest: JsonObject, { name, command }: Pick<NpmPackage, 'name' | 'command'>): string {
  const bin = ownMember(manifest, 'bin');
  const usual = name.slice(name.indexOf('/') + 1);
  const commands = new Map(typeof bin === 'string' ? [[usual, bin]] : isJsonObject(bin) ? Object.entries(bin) : []);
  const [only] = commands.size === 1 ? commands.values() : [];
  const file = command === undefined ? (commands.get(usual) ?? only) : commands.get(command);
  if (typeof file === 'string') return file;
  const names = [...commands.keys()].join(', ') || 'none';
  throw new LaunchRefusal(`${name} has no command ${command ?? usual}; it has: ${names}`.slice(0, 300));
}
