import type { Connection } from '../connection.js';
import { describeDiff } from './describe-result.js';

/** Undoes a revision as a new one, and prints what that changed. */
export async function revert(
  { revision, reason }: { revision: number; reason: string },
  { api }: Connection,
  print: (text: string) => void,
): Promise<void> {
  const { value } = await api.revisions.revert(revision, { reason });
  print(`${[`Revision ${revision} is undone by revision ${value.revision}:`, ...describeDiff(value)].join('\n')}\n`);
}
