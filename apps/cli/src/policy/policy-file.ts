import type { Connection } from '../connection.js';
import { describeDiff, describePreview } from './describe-result.js';
import { readInput } from './read-input.js';

export interface ImportOptions {
  readonly file: string;
  readonly dryRun?: boolean | undefined;
  readonly prune?: boolean | undefined;
  readonly reason?: string | undefined;
}

/** Prints all of policy as YAML. */
export async function exportPolicy({ api }: Connection, print: (text: string) => void): Promise<void> {
  print(await api.policy.export());
}

/** Makes policy say what a file says, and prints what that changed, or with `dryRun` would change. */
export async function importPolicy(
  { file, dryRun, prune, reason }: ImportOptions,
  { api }: Connection,
  print: (text: string) => void,
): Promise<void> {
  const { value } = await api.policy.import(await readInput(file), { dryRun, prune, reason });
  if (value.changed === 0) {
    print(`Policy says so already, as of revision ${value.revision}.\n`);
    return;
  }
  const title = dryRun ? `Would change, as of revision ${value.revision}:` : `Changed in revision ${value.revision}:`;
  const lines = [title, ...describeDiff(value), ...(value.preview === null ? [] : describePreview(value.preview))];
  print(`${lines.join('\n')}\n`);
}
