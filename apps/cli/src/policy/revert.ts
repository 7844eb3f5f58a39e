import type { Connection } from '../connection.js';
import { describeDiff, describePreview } from './describe-result.js';

export interface RevertOptions {
  readonly revision: number;
  readonly reason: string;
  readonly dryRun: boolean;
}

/** Undoes a revision as a new one, and prints what that changed; as a dry run, what it would change and who would gain and lose what. */
export async function revert(
  { revision, reason, dryRun }: RevertOptions,
  { api }: Pick<Connection, 'api'>,
  print: (text: string) => void,
): Promise<void> {
  if (dryRun) {
    const told = await api.revisions.rehearseRevert(revision, { reason });
    const lines = [
      `Undoing revision ${revision} would change:`,
      ...describeDiff(told),
      ...(told.preview === null ? [] : describePreview(told.preview)),
    ];
    return print(`${[...lines, 'Nothing was changed.'].join('\n')}\n`);
  }
  const { value } = await api.revisions.revert(revision, { reason });
  print(`${[`Revision ${revision} is undone by revision ${value.revision}:`, ...describeDiff(value)].join('\n')}\n`);
}
