import { accessSync, constants } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import type { PackageTools } from './package-store.js';

/** The tools that install packages: those that were named, else those that the environment's `PATH` leads to. */
export function findTools(
  named: { readonly npmPath?: string | undefined; readonly uvPath?: string | undefined },
  environment: Readonly<Record<string, string>>,
): PackageTools {
  const folders = (environment['PATH'] ?? '').split(delimiter).filter((folder) => isAbsolute(folder));
  const find = (name: string): string | undefined => folders.map((folder) => join(folder, name)).find(isExecutable);
  return { npm: named.npmPath ?? find('npm'), uv: named.uvPath ?? find('uv'), environment };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
